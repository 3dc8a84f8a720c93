package dev.voxgrad.bench;

import dev.voxgrad.engine.infer.SlidingWindow;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;

/** A volume through the predictor's sliding window, from an array on the host to logits in another one. */
final class OurPrediction implements PredictionRun.Prediction {
    private final Device device;
    private final PredictionProblem problem;
    private final Module network;
    private final float[] image;
    private final float[] logits;

    OurPrediction(Device device, PredictionProblem problem) {
        this.device = device;
        this.problem = problem;
        network = problem.tile().create(Direction.FORWARD, device.scope());
        image = problem.image();
        logits = new float[problem.voxels() * problem.tile().network().classes()];
    }

    @Override
    public void predict(SlidingWindow.Progress progress) {
        SlidingWindow.nnunet(problem.window(), List.of())
                .predict(
                        "bench",
                        device,
                        List.of(network),
                        image,
                        problem.volume(),
                        (z, plane) -> System.arraycopy(plane, 0, logits, z * plane.length, plane.length),
                        progress);
    }

    @Override
    public float[] logits() {
        return logits;
    }

    @Override
    public void close() {
        device.close();
    }
}
