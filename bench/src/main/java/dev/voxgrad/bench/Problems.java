package dev.voxgrad.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** The problems of a folder: one file for each kind. */
final class Problems {
    private Problems() {}

    /** All problems in the order of the tables. */
    static List<Problem> read(Path folder) throws IOException {
        List<Problem> problems = new ArrayList<>();
        add(problems, folder.resolve("network.csv"), NetworkProblem::of);
        add(problems, folder.resolve("prediction.csv"), PredictionProblem::of);
        add(problems, folder.resolve("volume.csv"), VolumeProblem::of);
        add(problems, folder.resolve("conv3d.csv"), ConvProblem::of);
        add(problems, folder.resolve("loss.csv"), LossProblem::of);
        add(problems, folder.resolve("optimizer.csv"), OptimizerProblem::of);
        return problems;
    }

    private static void add(List<Problem> problems, Path file, Function<Rows.Row, Problem> read) throws IOException {
        for (Rows.Row row : Rows.read(file)) {
            problems.add(read.apply(row));
        }
    }
}
