package dev.voxgrad.bench;

import dev.voxgrad.engine.infer.PlaneSink;
import dev.voxgrad.engine.infer.SlidingWindow;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;
import java.util.Map;

/** A volume through the predictor's sliding window, from an array on the host to planes of logits on the host. */
final class OurPrediction implements Side.Run {
    private final Device device;
    private final PredictionProblem problem;
    private final Module network;
    private final float[] image;

    OurPrediction(Device device, PredictionProblem problem) {
        this.device = device;
        this.problem = problem;
        network = problem.tile().create(Direction.FORWARD, device.scope());
        image = problem.image();
    }

    @Override
    public Map<String, float[]> answer() {
        int voxels =
                problem.volume().d() * problem.volume().h() * problem.volume().w();
        float[] logits = new float[voxels * problem.tile().network().classes()];
        predict((z, plane) -> System.arraycopy(plane, 0, logits, z * plane.length, plane.length));
        return Map.of("logits", logits);
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        predict((z, plane) -> {});
        return (System.nanoTime() - start) / 1e6;
    }

    private void predict(PlaneSink sink) {
        SlidingWindow.nnunet(problem.window(), List.of())
                .predict("bench", device, List.of(network), image, problem.volume(), sink, (done, total) -> {});
    }

    @Override
    public void close() {
        device.close();
    }
}
