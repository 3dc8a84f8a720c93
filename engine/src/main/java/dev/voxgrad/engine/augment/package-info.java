/** Patches: sampling, random transforms, and the counter-based random numbers behind both. */
package dev.voxgrad.engine.augment;
