/** Devices, scopes that own native memory, tensors and labels. */
package dev.voxgrad.engine.tensor;
