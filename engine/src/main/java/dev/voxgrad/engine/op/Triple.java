package dev.voxgrad.engine.op;

/** Three sizes in the order of the axes: depth, height, width. */
public record Triple(int d, int h, int w) {
    /** The same number on every axis. */
    public static Triple of(int all) {
        return new Triple(all, all, all);
    }
}
