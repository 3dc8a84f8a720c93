package dev.voxgrad.cli;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Precision;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Where a command computes. */
final class DeviceOptions {
    @Spec(Target.MIXEE)
    private CommandSpec command;

    private String device = "cpu";
    private int threads;

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
        return Device.open(device, threads, 0, precision);
    }
}
