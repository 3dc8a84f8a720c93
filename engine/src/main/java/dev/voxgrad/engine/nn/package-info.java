/** Networks as data and as modules, their parameters, initialisers and deep supervision. */
package dev.voxgrad.engine.nn;
