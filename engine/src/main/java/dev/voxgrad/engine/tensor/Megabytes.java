package dev.voxgrad.engine.tensor;

/** An amount of memory for people, in units of 2^20 bytes. */
public record Megabytes(long count) {
    /** What is needed, rounded up. */
    public static Megabytes needed(long bytes) {
        return new Megabytes((bytes + (1 << 20) - 1) >> 20);
    }

    /** A limit, rounded down. */
    public static Megabytes limit(long bytes) {
        return new Megabytes(bytes >> 20);
    }

    /** As a value of {@code --memory-limit}. */
    public String option() {
        return count + "M";
    }

    @Override
    public String toString() {
        return count + " MB";
    }
}
