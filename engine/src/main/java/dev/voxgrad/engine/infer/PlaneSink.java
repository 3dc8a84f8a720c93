package dev.voxgrad.engine.infer;

/** Receives the logits of a volume plane by plane. */
public interface PlaneSink {
    /**
     * Takes one plane. Planes come in ascending order, each once.
     *
     * @param z index of the plane
     * @param logits [y][x][class]; the array is used again for the next plane
     */
    void accept(int z, float[] logits);
}
