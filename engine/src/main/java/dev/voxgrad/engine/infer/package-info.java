/** Prediction: sliding window, merging of tiles, export of label maps in the geometry of the source. */
package dev.voxgrad.engine.infer;
