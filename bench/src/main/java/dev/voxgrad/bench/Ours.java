package dev.voxgrad.bench;

import dev.voxgrad.bindings.NativeLibrary;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;

/** voxgrad itself. Every run has a device of its own, so that no memory of an earlier one helps or counts. */
final class Ours implements Side {
    private int threads;

    @Override
    public String name() {
        return "voxgrad";
    }

    @Override
    public String version() {
        return "voxgrad " + NativeLibrary.version();
    }

    @Override
    public void threads(int count) {
        threads = count;
    }

    @Override
    public List<String> settings(Problem problem, Direction direction) {
        return List.of("default");
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        Device device = Device.open("cpu", threads, 0, problem.precision());
        try {
            return switch (problem) {
                case ConvProblem conv -> new OurConv(device, conv, direction);
                case NetworkProblem network -> new OurNetwork(device, network, direction);
                case LossProblem loss -> new OurLoss(device, loss);
                case OptimizerProblem optimizer -> new OurOptimizer(device, optimizer);
                case PredictionProblem prediction -> new PredictionRun(name(), new OurPrediction(device, prediction));
                case VolumeProblem volume -> new OurVolume(device, volume);
            };
        } catch (RuntimeException e) {
            device.close();
            throw e;
        }
    }
}
