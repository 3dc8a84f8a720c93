/** ONNX Runtime: convolutions and networks, forward. */
package dev.voxgrad.bench.onnx;
