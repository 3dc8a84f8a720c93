package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** References, the masks of a model and those of a worse one, in the folders ref, pred and other. */
record EvaluationFolder(Path folder, TinyDataset data) {
    /** Six cases of 180 voxels of lesion: the model misses 3 i voxels of case i, the other one 1 + i more. */
    static EvaluationFolder of(Path folder) {
        TinyDataset data = new TinyDataset(folder);
        data.text("dataset.json", TinyDataset.description(2));
        for (int i = 0; i < 6; i++) {
            data.labels("ref/c" + i + ".nii.gz", TinyDataset.labels(1), TinyDataset.GRID);
            data.labels("pred/c" + i + ".nii.gz", missing(3 * i), TinyDataset.GRID);
            data.labels("other/c" + i + ".nii.gz", missing(3 * i + 1 + i), TinyDataset.GRID);
        }
        return new EvaluationFolder(folder, data);
    }

    /** The reference without the first voxels of the lesion. */
    private static short[] missing(int voxels) {
        short[] labels = TinyDataset.labels(1);
        int plane = TinyDataset.GRID.height() * TinyDataset.GRID.width();
        Arrays.fill(labels, 3 * plane, 3 * plane + voxels, (short) 0);
        return labels;
    }

    CommandRun evaluate(String... more) {
        List<String> arguments = new ArrayList<>(
                List.of("evaluate", "-p", path("pred"), "-r", path("ref"), "--dataset", folder.toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    /** What a successful evaluation prints as JSON. */
    JsonNode json(String... more) {
        List<String> arguments = new ArrayList<>(List.of("--json", "--strict-json"));
        arguments.addAll(List.of(more));
        CommandRun run = evaluate(arguments.toArray(String[]::new));
        assertThat(run.err()).isEmpty();
        assertThat(run.exitCode()).isEqualTo(ExitCode.OK);
        return JsonMapper.shared().readTree(run.out());
    }

    String path(String name) {
        return folder.resolve(name).toString();
    }
}
