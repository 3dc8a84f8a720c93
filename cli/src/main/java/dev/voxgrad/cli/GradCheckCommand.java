package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.losses.GradientCheck;
import dev.voxgrad.losses.Losses;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code voxgrad gradcheck}: compares the gradient of a loss with finite differences. */
@Command(
        name = "gradcheck",
        description = {
            "Compares the gradient of a loss with finite differences of its value at random logits and labels,",
            "and prints the worst entry. A loss with a schedule is checked at five points of a training.",
            "The exit code is 0 when all agree and 1 when they do not."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = {
            "  voxgrad gradcheck \"dice + topk(0.1)\" --classes 4",
            "  voxgrad gradcheck my_loss --class-path my_loss/classes"
        })
final class GradCheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private JsonOption json;

    @Parameters(
            paramLabel = "LOSS",
            arity = "0..1",
            description = "A name, or any loss text, for example \"dice + ce\".")
    private Optional<String> loss;

    @Option(names = "--list", description = "Print the names of all losses, each with a line about it.")
    private boolean list;

    @Option(
            names = "--classes",
            paramLabel = "N",
            defaultValue = "3",
            description = "Channels of the logits, 1 to 64. Default: ${DEFAULT-VALUE}.")
    private int classes;

    @Option(
            names = "--dim",
            paramLabel = "2|3",
            defaultValue = "3",
            description = "Images or volumes, when no shape is given. Default: ${DEFAULT-VALUE}.")
    private int dimensions;

    @Option(
            names = "--shape",
            paramLabel = "NxDxHxW",
            description = "Sizes of the batch: samples, depth, height, width. Default: 2x3x4x5, with --dim 2 2x1x6x7.")
    private Optional<String> sizes;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "Seed. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (list) {
            Losses.factories().forEach((name, factory) -> out.printf("%-12s %s%n", name, factory.description()));
            return ExitCode.OK;
        }
        String text = loss.orElseThrow(() -> usage("give a loss, or --list for their names"));
        Shape shape = shape();
        List<GradientCheck.Report> reports;
        try (Device opened = device.open()) {
            reports = GradientCheck.check(opened, text, shape, seed);
        }
        if (json.isSet()) {
            json.print(out, reports);
        } else {
            reports.forEach(report -> print(out, report, shape));
        }
        return reports.stream().allMatch(GradientCheck.Report::passes) ? ExitCode.OK : ExitCode.FAILURE;
    }

    private Shape shape() {
        if (classes < 1 || classes > 64) {
            throw usage("--classes is " + classes + "; use 1 to 64");
        }
        if (dimensions != 2 && dimensions != 3) {
            throw usage("--dim is " + dimensions + "; use 2 or 3");
        }
        String text = sizes.orElse(dimensions == 2 ? "2x1x6x7" : "2x3x4x5");
        if (!text.matches("([1-9]\\d{0,2}x){3}[1-9]\\d{0,2}")) {
            throw usage("--shape is " + text + "; use four numbers of at least 1 such as 2x3x4x5");
        }
        int[] n = Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
        return new Shape(n[0], n[1], n[2], n[3], classes);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    private void print(PrintWriter out, GradientCheck.Report report, Shape shape) {
        out.printf("loss     %s%n", report.loss());
        out.printf("logits   %s, seed %d%n", shape, seed);
        out.printf("value    %.9g%n", report.value());
        report.worst().ifPresent(worst -> {
            out.printf("checked  %d entries, %d directions%n", report.entries(), report.directions());
            out.printf(
                    "worst    %s: analytic %.6e, numeric %.6e, difference %.1e, tolerance %.1e%s%n",
                    worst.where(),
                    worst.analytic(),
                    worst.numeric(),
                    worst.difference(),
                    worst.tolerance(),
                    worst.settled() ? "" : "; the differences do not converge: a kink is near");
        });
        out.println(report.passes() ? "PASS" : report.problem().isEmpty() ? "FAIL" : "FAIL: " + report.problem());
    }
}
