/** oneDNN without a framework: convolutions in the layouts that it asks for. */
package dev.voxgrad.bench.onednn;
