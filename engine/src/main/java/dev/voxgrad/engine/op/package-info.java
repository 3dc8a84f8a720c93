/** Operations with their gradients, one class each, and the interface of a loss. */
package dev.voxgrad.engine.op;
