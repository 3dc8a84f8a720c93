package dev.voxgrad.cli;

import dev.voxgrad.engine.OutputFolder;
import dev.voxgrad.engine.infer.ImportanceMap;
import dev.voxgrad.engine.infer.PredictionFiles;
import dev.voxgrad.engine.infer.PredictionMemory;
import dev.voxgrad.engine.infer.Predictor;
import dev.voxgrad.engine.infer.SlidingWindow;
import dev.voxgrad.engine.infer.TestNoise;
import dev.voxgrad.engine.infer.Uncertainty;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.train.Checkpoint;
import dev.voxgrad.engine.train.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Predicts cases one after the other; a case that fails does not stop the others. */
final class PredictionJob {
    /** How the volume is covered, and what is written beside the mask. */
    record Settings(
            double step,
            boolean gaussian,
            boolean mirror,
            Optional<Uncertainty> uncertainty,
            boolean probabilities,
            Optional<TestNoise> noise) {
        static final Settings DEFAULT = new Settings(0.5, true, true, Optional.empty(), false, Optional.empty());
    }

    /**
     * What became of one case.
     *
     * @param output the mask, null if it failed
     * @param error why it failed, null if it did not
     * @param exitCode one of {@link ExitCode}
     */
    record Result(String id, String output, Double seconds, String error, int exitCode) {}

    private PredictionJob() {}

    /**
     * Predicts all cases with the model of a folder; CASE becomes CASE + ending in the output folder.
     *
     * @param progress also told after each tile
     */
    static List<Result> run(
            Path model,
            List<Case> cases,
            Path output,
            String ending,
            Settings settings,
            Device device,
            SlidingWindow.Progress progress) {
        ModelFolder folder = new ModelFolder(model);
        Plan plan = folder.readPlan();
        SlidingWindow window = new SlidingWindow(
                plan.patch(),
                SlidingWindow.Rule.NNUNET,
                settings.step(),
                settings.gaussian() ? ImportanceMap.NNUNET_GAUSSIAN : ImportanceMap.ONES,
                settings.mirror() && settings.noise().isEmpty()
                        ? plan.training().mirrorAxes()
                        : List.of(),
                SlidingWindow.Padding.ZERO);
        PredictionMemory.require(plan.network().withoutDeepSupervision(), window, device);
        List<Result> results = new ArrayList<>();
        try (Scope scope = device.scope()) {
            Module network = Networks.create(plan.network().withoutDeepSupervision(), scope);
            Checkpoint.readWeights(folder.weights(), network.parameters());
            OutputFolder.create(output);
            Predictor predictor = new Predictor(plan, List.of(network), device, window, settings.noise());
            for (Case c : cases) {
                PredictionFiles files =
                        PredictionFiles.in(output, c.id(), ending, settings.uncertainty(), settings.probabilities());
                results.add(predict(predictor, c, files, progress));
            }
        }
        return results;
    }

    private static Result predict(Predictor predictor, Case c, PredictionFiles files, SlidingWindow.Progress progress) {
        long start = System.nanoTime();
        try (Bar bar = new Bar(c.id())) {
            predictor.write(c, files, (done, total) -> {
                bar.tiles(done, total);
                progress.tiles(done, total);
            });
            return new Result(c.id(), files.mask().toString(), (System.nanoTime() - start) / 1e9, null, ExitCode.OK);
        } catch (RuntimeException e) {
            Failure failure = Failure.of(e);
            return new Result(c.id(), null, null, failure.message(), failure.exitCode());
        }
    }

    /** A bar that learns its length with the first tile. */
    private static final class Bar implements AutoCloseable {
        private final String name;
        private Optional<Progress> progress = Optional.empty();

        Bar(String name) {
            this.name = name;
        }

        void tiles(int done, int total) {
            if (progress.isEmpty()) {
                progress = Optional.of(Progress.start(name, total, "tiles"));
            }
            progress.get().to(done);
        }

        @Override
        public void close() {
            progress.ifPresent(Progress::close);
        }
    }
}
