package dev.voxgrad.bench;

import dev.voxgrad.engine.infer.SlidingWindow;
import java.util.Map;

/** A volume by one side. Putting the logits into the order of memory of an answer is not timed. */
public final class PredictionRun implements Side.Run {
    /** What a side does. */
    public interface Prediction extends AutoCloseable {
        /** From the image on the host to the mean logits of every voxel on the host. */
        void predict(SlidingWindow.Progress progress);

        /** The logits of the last prediction, [z][y][x][class]. */
        float[] logits();

        @Override
        void close();
    }

    private final String name;
    private final Prediction prediction;
    private boolean predicted;

    /** @param name of the side and its setting, for {@link TimeLeft} */
    public PredictionRun(String name, Prediction prediction) {
        this.name = name;
        this.prediction = prediction;
    }

    @Override
    public Map<String, float[]> answer() {
        if (!predicted) {
            prediction.predict((done, total) -> {});
        }
        return Map.of("logits", prediction.logits());
    }

    @Override
    public double milliseconds() {
        predicted = true;
        long start = System.nanoTime();
        prediction.predict(new TimeLeft(name, System.err));
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        prediction.close();
    }
}
