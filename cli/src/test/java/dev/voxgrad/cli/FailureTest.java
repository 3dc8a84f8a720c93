package dev.voxgrad.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.bindings.NativeStatus;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.DataException;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import org.junit.jupiter.api.Test;

final class FailureTest {
    @Test
    void badFilesAndPlansAreBadInput() {
        assertThat(Failure.of(new DataException("scan.nii: too short")))
                .isEqualTo(new Failure(ExitCode.BAD_INPUT, "scan.nii: too short"));
        assertThat(Failure.of(new ConfigException("plan.json: unknown key")).exitCode())
                .isEqualTo(ExitCode.BAD_INPUT);
        assertThat(Failure.of(new UncheckedIOException(new NoSuchFileException("a.nii"))))
                .isEqualTo(new Failure(ExitCode.BAD_INPUT, "a.nii does not exist"));
    }

    @Test
    void aMissingDeviceIsAFailureWithoutBlame() {
        Failure failure = Failure.of(new NativeException(NativeStatus.UNAVAILABLE, "no CUDA driver"));
        assertThat(failure).isEqualTo(new Failure(ExitCode.FAILURE, "no CUDA driver"));
    }

    @Test
    void aDefectSaysHowToReportIt() {
        Failure failure = Failure.of(new IllegalStateException("stack is empty"));
        assertThat(failure.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(failure.message()).contains("stack is empty", "report", "--stacktrace", "doctor");
    }

    @Test
    void fullHeapSaysHowToGetMore() {
        assertThat(Failure.of(new OutOfMemoryError("Java heap space")).message())
                .contains("VOXGRAD_JAVA_OPTS=-Xmx");
    }
}
