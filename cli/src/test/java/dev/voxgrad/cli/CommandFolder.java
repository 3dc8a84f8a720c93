package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A folder that commands work in.
 *
 * @param folder everything is in it
 * @param data a data set, valid at first
 * @param model where models go to and come from
 */
record CommandFolder(Path folder, TinyDataset data, Path model) {
    static CommandFolder of(Path folder) {
        return new CommandFolder(folder, TinyDataset.valid(folder.resolve("data")), folder.resolve("model"));
    }

    CommandFolder withModel(Path other) {
        return new CommandFolder(folder, data, other);
    }

    CommandRun train(String... more) {
        List<String> arguments = new ArrayList<>(List.of("train", data.folder().toString(), "-o", model.toString()));
        arguments.addAll(List.of("--plan", data.planFile().toString(), "--threads", "1"));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    /** Predicts the images of a folder into {@link #masks}. */
    CommandRun predict(Path input) {
        return predict(input, masks());
    }

    CommandRun predict(Path input, Path output, String... more) {
        List<String> arguments = new ArrayList<>(List.of("predict", "-m", model.toString(), "--threads", "1"));
        arguments.addAll(List.of("-i", input.toString(), "-o", output.toString()));
        arguments.addAll(List.of(more));
        return CommandRun.of(arguments.toArray(String[]::new));
    }

    CommandRun evaluate(Path predictions, Path references) {
        return CommandRun.of(
                "evaluate",
                "-p",
                predictions.toString(),
                "-r",
                references.toString(),
                "--dataset",
                data.folder().toString());
    }

    Path masks() {
        return folder.resolve("masks");
    }

    /** All files and folders, hidden ones too. */
    List<Path> tree() {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file of the golden NIfTI images. */
    static Path golden(String name) {
        try {
            return Path.of(Objects.requireNonNull(CommandFolder.class.getResource("/golden/nifti/" + name), name)
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Checks that a training is refused; see {@link #assertRefused}. */
    void assertTrainingRefused(Object... texts) {
        List<Path> before = tree();
        assertRefused(train(), before, texts);
    }

    /** Bad input, one line on standard error that has these texts, and no other files than expected. */
    void assertRefused(CommandRun run, List<Path> files, Object... texts) {
        assertThat(run.exitCode()).as(run.err()).isEqualTo(ExitCode.BAD_INPUT);
        assertThat(run.err().lines().filter(line -> !line.startsWith("  "))).hasSize(1);
        // A wrong loss text is shown below the line, with a mark at the place.
        assertThat(run.err().lines()).hasSize(run.err().contains("loss text: ") ? 3 : 1);
        assertThat(run.err()).startsWith("voxgrad: ").doesNotContain("Exception");
        for (Object text : texts) {
            assertThat(run.err()).contains(text.toString());
        }
        assertThat(tree()).isEqualTo(files);
    }
}
