/** PyTorch in this JVM as a peer, through bytedeco's binding; compiled by the Maven profile {@code peers} only. */
package dev.voxgrad.bench.torch;
