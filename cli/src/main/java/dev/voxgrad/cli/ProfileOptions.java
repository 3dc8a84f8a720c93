package dev.voxgrad.cli;

import dev.voxgrad.cli.report.ProfilePage;
import dev.voxgrad.engine.AtomicFile;
import dev.voxgrad.engine.OutputFolder;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What becomes of a profile. */
final class ProfileOptions {
    /** How the table puts calls together. */
    enum By {
        LAYER_OP,
        OP,
        LAYER,
        CALL
    }

    @Spec(Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--by",
            paramLabel = "WHAT",
            defaultValue = "layer-op",
            description =
                    "Rows of the table: layer-op, op, layer, or call: the calls of the median step in their order."
                            + " Default: ${DEFAULT-VALUE}.")
    private By by;

    private int top;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            defaultValue = "profile.html",
            description = "The page with all of it. Default: ${DEFAULT-VALUE}.")
    private Path html;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write the numbers of the page as JSON.")
    private Optional<Path> json;

    @Option(
            names = "--top",
            paramLabel = "N",
            defaultValue = "30",
            description = "Rows of the table; the others become one row. 0 = all. Default: ${DEFAULT-VALUE}.")
    private void top(int rows) {
        if (rows < 0) {
            throw new ParameterException(command.commandLine(), "--top is " + rows + "; use 0 (all) or more");
        }
        top = rows;
    }

    /** Finds out before the work whether the files can be written. */
    void requireWritable() {
        OutputFolder.requireUsable(folder(html));
        json.map(ProfileOptions::folder).ifPresent(OutputFolder::requireUsable);
    }

    /** Prints the table and writes the files. */
    void report(ProfileResult result) {
        PrintWriter out = command.commandLine().getOut();
        new ProfileTable(result).print(out, by, top);
        json.ifPresent(file -> write(file, ProfileJson.pretty(result)));
        write(html, ProfilePage.html(result.title(), ProfileJson.compact(result)));
        json.ifPresent(file -> out.println("numbers: " + file));
        out.println("page: " + html);
    }

    private static void write(Path file, String text) {
        OutputFolder.create(folder(file));
        AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    private static Path folder(Path file) {
        return file.toAbsolutePath().normalize().getParent();
    }
}
