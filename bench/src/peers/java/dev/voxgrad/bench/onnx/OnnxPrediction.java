package dev.voxgrad.bench.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.voxgrad.bench.PredictionProblem;
import dev.voxgrad.bench.PredictionRun;
import dev.voxgrad.engine.infer.SlidingWindow;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Arrays;
import java.util.List;

/**
 * The same tiles one by one. ONNX Runtime has no ops outside a graph, so tiles are cut out and weighted logits added in Java, line by
 * line along x in loops that the JVM vectorises, on one thread: next to the network's time this is little, see docs/benchmarks.md.
 */
final class OnnxPrediction implements PredictionRun.Prediction {
    private final PredictionProblem problem;
    private final OnnxSession session;
    private final Triple tile;
    private final int channels;
    private final int classes;
    private final float[] image; // [channel][z][y][x]
    private final float[] weights; // [z][y][x] of a tile
    private final float[] logits; // [class][z][y][x]
    private final float[] weightSums; // [z][y][x]

    OnnxPrediction(PredictionProblem problem, OnnxSession session) {
        this.problem = problem;
        this.session = session;
        tile = problem.window();
        channels = (int) problem.tile().input().c();
        classes = problem.tile().network().classes();
        Triple v = problem.volume();
        image = ChannelsFirst.of(problem.image(), new Shape(1, v.d(), v.h(), v.w(), channels));
        weights = problem.weights();
        logits = new float[classes * problem.voxels()];
        weightSums = new float[problem.voxels()];
    }

    @Override
    public void predict(SlidingWindow.Progress progress) {
        Arrays.fill(logits, 0);
        Arrays.fill(weightSums, 0);
        List<Triple> places = problem.places();
        for (int i = 0; i < places.size(); i++) {
            Triple place = places.get(i);
            lines(channels, place, (from, to, n) -> session.input().put(to, image, from, n));
            try (OrtSession.Result result = session.run()) {
                add(((OnnxTensor) result.get(0)).getFloatBuffer().array(), place);
            } catch (OrtException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
            progress.tiles(i + 1, places.size());
        }
        int voxels = problem.voxels();
        for (int c = 0; c < classes; c++) {
            for (int i = 0, at = c * voxels; i < voxels; i++) {
                logits[at + i] /= weightSums[i];
            }
        }
    }

    private void add(float[] predicted, Triple place) {
        int mask = tile.d() * tile.h() * tile.w();
        lines(classes, place, (to, from, n) -> {
            int weight = from % mask;
            for (int i = 0; i < n; i++) {
                logits[to + i] += weights[weight + i] * predicted[from + i];
            }
        });
        lines(1, place, (to, from, n) -> {
            for (int i = 0; i < n; i++) {
                weightSums[to + i] += weights[from + i];
            }
        });
    }

    /** Lines along x, by their first voxel in the volume and in the tile. */
    private interface Line {
        void voxels(int inVolume, int inTile, int count);
    }

    private void lines(int planes, Triple place, Line line) {
        Triple v = problem.volume();
        int inTile = 0;
        for (int c = 0; c < planes; c++) {
            for (int z = 0; z < tile.d(); z++) {
                for (int y = 0; y < tile.h(); y++) {
                    int row = (c * v.d() + place.d() + z) * v.h() + place.h() + y;
                    line.voxels(row * v.w() + place.w(), inTile, tile.w());
                    inTile += tile.w();
                }
            }
        }
    }

    @Override
    public float[] logits() {
        return ChannelsFirst.toChannelsLast(logits, 1, classes);
    }

    @Override
    public void close() {
        session.close();
    }
}
