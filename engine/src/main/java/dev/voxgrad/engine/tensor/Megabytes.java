package dev.voxgrad.engine.tensor;

/** An amount of memory for people, in units of 2^20 bytes, rounded up. */
public record Megabytes(long count) {
    /** Rounds up. */
    public static Megabytes of(long bytes) {
        return new Megabytes((bytes + (1 << 20) - 1) >> 20);
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
