/** Measures what a device does: kernel calls with layer and phase, time outside of them, the roofline of the machine. */
package dev.voxgrad.engine.profile;
