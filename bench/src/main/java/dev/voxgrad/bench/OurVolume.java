package dev.voxgrad.bench;

import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.NiftiWriter;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Outputs;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.plan.Resampler;
import dev.voxgrad.engine.plan.Training;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;

/** Work on a volume as the pipeline does it, from and to arrays of Java or files. */
final class OurVolume implements Side.Run {
    private static final int LINEAR = 1;
    private static final int CUBIC = 3;

    private final Device device;
    private final VolumeProblem problem;
    private final VolumeFile file;
    private final Supplier<float[]> work;

    OurVolume(Device device, VolumeProblem problem) {
        this.device = device;
        this.problem = problem;
        file = new VolumeFile(problem);
        work = switch (problem.work()) {
            case LINEAR -> resampling(LINEAR);
            case CUBIC -> resampling(CUBIC);
            case PREPROCESS -> preprocessing();
            case LOAD -> () -> NiftiReader.read(file.path()).volume().channel(0);
            case SAVE -> saving();
        };
    }

    private Supplier<float[]> resampling(int order) {
        float[] image = problem.image();
        return () -> Resampler.resize(device, image, problem.from(), problem.to(), order, 0, OptionalInt.empty());
    }

    private Supplier<float[]> preprocessing() {
        Plan plan = new Plan(
                Plan.FORMAT_VERSION,
                "bench",
                List.of("CT"),
                List.of("zscore"),
                Map.of("background", 0, "organ", 1),
                List.of(1.0, 1.0, 1.0),
                List.of(32, 32, 32),
                1,
                NetworkProblem.network("plain", 3, 1, 2, List.of(8, 16)),
                Training.standard(),
                Outputs.SOFTMAX,
                List.of());
        Case source = new Case("bench", List.of(file.path()), Optional.empty());
        return () -> new Preprocessor(plan, device).prepare(source).image();
    }

    private Supplier<float[]> saving() {
        NiftiHeader header = problem.header();
        Grid grid =
                new Grid(problem.from().d(), problem.from().h(), problem.from().w());
        LabelVolume labels = new LabelVolume(problem.labels(), grid, Geometry.ofSpacing(1, 1, 1));
        return () -> {
            NiftiWriter.writeLabels(file.path(), labels, VolumeProblem.CLASSES - 1, header);
            return new float[0];
        };
    }

    @Override
    public Map<String, float[]> answer() {
        float[] result = work.get();
        return Map.of("voxels", problem.work() == VolumeProblem.Work.SAVE ? file.labels() : result);
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        float[] result = work.get();
        double ms = (System.nanoTime() - start) / 1e6;
        assert result != null;
        return ms;
    }

    @Override
    public void close() {
        file.close();
        device.close();
    }
}
