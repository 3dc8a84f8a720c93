package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.op.SegLoss.Sums;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The example of docs/adding-a-loss.md. */
class AddingALossTest {
    private static final Path ROOT = Path.of(System.getProperty("voxgrad.root", ".."));

    @Test
    void documentShowsTheClass() throws IOException {
        Path source = ROOT.resolve("losses/src/test/java/dev/voxgrad/losses/Tversky.java");
        String code = Files.readString(source);
        assertThat(Files.readString(ROOT.resolve("docs/adding-a-loss.md")))
                .contains(code.substring(code.indexOf("/**")).strip());
    }

    @Test
    void derivativesAreRight() {
        LossGradientTest.assertPartials(
                new Tversky(0.8), LossGradientTest.positive(new Random(1), new Sums(2, 1, 3)), 1.5);
    }

    @Test
    void oneLineGivesItAName() {
        Catalog catalog = new Catalog(List.of(
                LossFactory.of("tversky", "", Tversky::parse), LossFactory.of("ce", "", CrossEntropy::parse)));
        Sum sum = LossBuilder.build("0.3*tversky(beta=0.8) + ce", catalog, LossContext.of(3));
        assertThat(sum).hasToString("0.3*tversky(beta=0.8) + ce");
    }
}
