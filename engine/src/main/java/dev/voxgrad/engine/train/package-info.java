/** The training loop, its checkpoints and its log. */
package dev.voxgrad.engine.train;
