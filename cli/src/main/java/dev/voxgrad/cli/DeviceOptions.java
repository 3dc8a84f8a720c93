package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Precision;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Where a command computes. */
final class DeviceOptions {
    private static final Pattern SIZE = Pattern.compile("([1-9]\\d{0,5})([KMGTkmgt])");

    @Spec(Target.MIXEE)
    private CommandSpec command;

    private String device = "cpu";
    private int threads;
    private long memoryLimitBytes;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            defaultValue = "cpu",
            description = "cpu, cuda or cuda:INDEX (default: ${DEFAULT-VALUE}).")
    private void device(String name) {
        if (!name.matches("cpu|cuda(:\\d{1,3})?")) {
            throw new ParameterException(
                    command.commandLine(), "unknown device \"" + name + "\"; use cpu, cuda or cuda:INDEX");
        }
        device = name;
    }

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads, 0 = all (default). The number never changes results.")
    private void threads(int count) {
        if (count < 0) {
            throw new ParameterException(command.commandLine(), "--threads must be 0 (all) or more, not " + count);
        }
        threads = count;
    }

    @Option(
            names = "--memory-limit",
            paramLabel = "SIZE",
            description = "Memory of weights, feature maps and scratch, as in 800M or 6G (1G = 1024M). A training or"
                    + " prediction that needs more is refused before it starts; a new training first computes feature maps"
                    + " again in place of keeping them, with the same results. Default: no limit.")
    private void memoryLimit(String size) {
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches()) {
            throw new ParameterException(
                    command.commandLine(), "--memory-limit is " + size + "; use a size such as 800M or 6G");
        }
        int power = " KMGT".indexOf(matcher.group(2).toUpperCase(Locale.ROOT));
        memoryLimitBytes = Long.parseLong(matcher.group(1)) << 10 * power;
    }

    String name() {
        return device;
    }

    int threads() {
        return threads;
    }

    /** Opens the device; the caller closes it. */
    Device open() {
        return open(Precision.DEFAULT);
    }

    /** The same with a precision of the convolutions. */
    Device open(Precision precision) {
        return Device.open(device, threads, memoryLimitBytes, precision);
    }
}
