/** Optimizers, learning rate schedules, gradient norm and averages. */
package dev.voxgrad.engine.optim;
