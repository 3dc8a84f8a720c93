package dev.voxgrad.cli;

import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.bindings.NativeStatus;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.ShapeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/**
 * What the user reads when a command fails.
 *
 * @param exitCode one of {@link ExitCode}
 * @param message one line; for a defect it also says how to report it
 */
record Failure(int exitCode, String message) {
    private static final String REPORT =
            " (a defect of voxgrad; please report it with the output of this command with --stacktrace"
                    + " and of \"voxgrad doctor\")";

    static Failure of(Throwable e) {
        return switch (e) {
            case DataException x -> new Failure(ExitCode.BAD_INPUT, x.getMessage());
            case ConfigException x -> new Failure(ExitCode.BAD_INPUT, x.getMessage());
            case ShapeException x -> new Failure(ExitCode.FAILURE, x.getMessage());
            case NativeException x -> ofNative(x);
            case UncheckedIOException x -> ofFile(x.getCause());
            case IOException x -> ofFile(x);
            case OutOfMemoryError x ->
                new Failure(
                        ExitCode.FAILURE,
                        "out of Java memory (" + x.getMessage()
                                + "); give it more, for example VOXGRAD_JAVA_OPTS=-Xmx8g");
            default -> new Failure(ExitCode.FAILURE, "unexpected " + e + REPORT);
        };
    }

    private static Failure ofNative(NativeException e) {
        boolean defect = e.status() == NativeStatus.INTERNAL || e.status() == NativeStatus.INVALID_ARGUMENT;
        return new Failure(ExitCode.FAILURE, e.getMessage() + (defect ? REPORT : ""));
    }

    private static Failure ofFile(IOException e) {
        return switch (e) {
            case NoSuchFileException x -> new Failure(ExitCode.BAD_INPUT, x.getFile() + " does not exist");
            case AccessDeniedException x -> new Failure(ExitCode.BAD_INPUT, x.getFile() + ": permission denied");
            case FileSystemException x ->
                new Failure(
                        ExitCode.FAILURE, x.getFile() + ": " + (x.getReason() == null ? x.toString() : x.getReason()));
            default -> new Failure(ExitCode.FAILURE, e.getMessage() == null ? e.toString() : e.getMessage());
        };
    }
}
