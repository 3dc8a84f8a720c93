/** Scores of segmentations against references. */
package dev.voxgrad.engine.metric;
