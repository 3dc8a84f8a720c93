/** Segmentation losses: terms on the sums of the loss passes, their weighted sum, and the text that a plan stores. */
package dev.voxgrad.losses;
