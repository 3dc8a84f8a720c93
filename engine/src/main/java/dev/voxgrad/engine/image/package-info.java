/**
 * Volumes and their files. Arrays are in C order with the axes z, y, x (depth, height, width), spacing is listed z, y, x
 * in millimetres, and affines map voxel (x, y, z) to the file's world coordinates, which NIfTI orients right, anterior,
 * superior. Reading never reorders or flips voxels.
 */
package dev.voxgrad.engine.image;
