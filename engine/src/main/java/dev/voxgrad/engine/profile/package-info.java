/** Measures what a device does: calls of kernels with layer and phase, time outside them, the roofline of the machine. */
package dev.voxgrad.engine.profile;
