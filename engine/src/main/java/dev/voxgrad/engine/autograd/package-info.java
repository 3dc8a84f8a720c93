/** The tape: records operations, computes gradients. */
package dev.voxgrad.engine.autograd;
