package dev.voxgrad.cli.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BrainFilesTest {
    @TempDir
    private Path cache;

    @Test
    void filesWithAnotherHashAreRefusedAndNothingIsLeft() throws Exception {
        DebianPackage tampered = (name, work) -> {
            Path templates = Files.createDirectories(work.resolve("usr/share/mricron/templates"));
            for (String file : List.of("ch2bet.nii.gz", "aal.nii.gz", "aal.nii.txt")) {
                Files.writeString(templates.resolve(file), "not it");
            }
            return work;
        };
        assertThatThrownBy(() -> BrainFiles.download(tampered, cache))
                .isInstanceOf(DebianPackage.NotAvailable.class)
                .hasMessageContaining("SHA-256");
        try (Stream<Path> left = Files.list(cache)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void missingFilesAreNamed() {
        assertThatThrownBy(() -> BrainFiles.download((name, work) -> work, cache))
                .isInstanceOf(DebianPackage.NotAvailable.class)
                .hasMessageContaining("has no file");
    }

    @Test
    void withoutThePackageThePhantomIsAnnounced() {
        Assumptions.assumeTrue(BrainFiles.find().isEmpty(), "the real scan is on this machine");
        List<String> said = new ArrayList<>();
        BrainScan scan = BrainScan.obtain(
                (name, work) -> {
                    throw new DebianPackage.NotAvailable("no network");
                },
                said::add);
        assertThat(scan.real()).isFalse();
        assertThat(said).last().asString().contains("NO REAL SCAN: no network", "phantom");
    }

    @Test
    void realScanHasTheAtlasGroups() {
        Assumptions.assumeTrue(BrainFiles.find().isPresent(), "no real scan here; `voxgrad data brain` downloads it");
        BrainScan scan = BrainScan.read(BrainFiles.find().orElseThrow());
        int[] voxels = new int[BrainScan.LABELS.size()];
        for (short label : scan.labels()) {
            voxels[label]++;
        }
        assertThat(voxels).containsExactly(5_629_168, 1_212_718, 53_647, 18_773, 194_831);
    }
}
