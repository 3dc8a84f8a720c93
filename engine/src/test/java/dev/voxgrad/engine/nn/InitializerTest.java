package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.voxgrad.engine.op.Triple;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Statistics of start values: mean and variance within five standard errors, bounds exactly. */
class InitializerTest {
    private static final long SEED = 20240607;
    private static final Set<Initializer> NORMAL = Set.of(Initializer.HE_LEAKY, Initializer.HE_LEAKY_ZERO_BRANCH);

    private static List<ParameterSpec> layer() {
        List<ParameterSpec> specs = new ArrayList<>();
        ParameterSpec.convolution(specs, "encoder.conv", 40, 60, Triple.of(3), true);
        ParameterSpec.transposedConvolution(specs, "decoder.up", 96, 64, Triple.of(2), true);
        ParameterSpec.norm(specs, "encoder.norm", 60, false);
        return specs;
    }

    private static double fanOut(ParameterSpec s) {
        return (double) s.shape().n() * s.shape().voxels();
    }

    @ParameterizedTest
    @EnumSource(Initializer.class)
    void weightHasMeanZeroAndTheVarianceOfItsRule(Initializer initializer) {
        for (ParameterSpec spec : layer()) {
            if (spec.role() == ParameterSpec.Role.WEIGHT) {
                float[] w = initializer.values(spec, SEED);
                double variance = switch (initializer) {
                    case HE_LEAKY, HE_LEAKY_ZERO_BRANCH -> 2 / (1 + 1e-4) / spec.fanIn();
                    case XAVIER_UNIFORM -> 2 / (spec.fanIn() + fanOut(spec));
                    case PYTORCH_DEFAULT -> 1.0 / (3 * spec.fanIn());
                };
                double n = w.length;
                double mean = stream(w).average().orElseThrow();
                assertThat(mean).as(spec.name()).isCloseTo(0, within(5 * Math.sqrt(variance / n)));
                double sample = stream(w).map(v -> v * v).average().orElseThrow();
                // Fourth moment: 3 var^2 of a normal, 9/5 var^2 of a uniform distribution.
                boolean normal = NORMAL.contains(initializer);
                double spread = normal ? 2 : 0.8;
                assertThat(sample).as(spec.name()).isCloseTo(variance, within(5 * variance * Math.sqrt(spread / n)));
                if (!normal) {
                    double bound = Math.sqrt(3 * variance);
                    assertThat(stream(w).map(Math::abs).max().orElseThrow())
                            .isBetween(0.99 * bound, bound * (1 + 1e-7));
                }
            }
        }
    }

    @Test
    void transposedWeightCountsOutputChannelsAsFanIn() {
        assertThat(layer().get(2).fanIn()).isEqualTo(64 * 8);
    }

    @Test
    void biasesAreZeroExceptPyTorchs() {
        ParameterSpec bias = layer().get(1);
        assertThat(Initializer.HE_LEAKY.values(bias, SEED)).containsOnly(0);
        assertThat(Initializer.XAVIER_UNIFORM.values(bias, SEED)).containsOnly(0);
        double bound = 1 / Math.sqrt(40 * 27);
        assertThat(stream(Initializer.PYTORCH_DEFAULT.values(bias, SEED))
                        .map(Math::abs)
                        .max()
                        .orElseThrow())
                .isBetween(0.8 * bound, bound);
    }

    @Test
    void normStartsAsIdentity() {
        assertThat(Initializer.HE_LEAKY.values(layer().get(4), SEED)).containsOnly(1);
        assertThat(Initializer.HE_LEAKY.values(layer().get(5), SEED)).containsOnly(0);
    }

    @Test
    void valuesDependOnSeedAndNameOnly() {
        ParameterSpec spec = layer().get(0);
        ParameterSpec renamed = new ParameterSpec("other", spec.role(), spec.shape(), spec.fanIn());
        float[] w = Initializer.HE_LEAKY.values(spec, SEED);
        assertThat(Initializer.HE_LEAKY.values(spec, SEED)).isEqualTo(w);
        assertThat(Initializer.HE_LEAKY.values(spec, SEED + 1)).isNotEqualTo(w);
        assertThat(Initializer.HE_LEAKY.values(renamed, SEED)).isNotEqualTo(w);
    }

    @Test
    void residualBranchesStartAtZeroOnlyWhereAskedFor() {
        List<ParameterSpec> specs = new ArrayList<>();
        ParameterSpec.norm(specs, "conv2.norm", 7, true);
        assertThat(Initializer.HE_LEAKY_ZERO_BRANCH.values(specs.get(0), SEED)).containsOnly(0);
        assertThat(Initializer.HE_LEAKY_ZERO_BRANCH.values(specs.get(1), SEED)).containsOnly(0);
        assertThat(Initializer.HE_LEAKY.values(specs.get(0), SEED)).containsOnly(1);
        assertThat(Initializer.HE_LEAKY_ZERO_BRANCH.values(layer().get(4), SEED))
                .containsOnly(1);
        assertThat(Initializer.HE_LEAKY_ZERO_BRANCH.values(layer().get(0), SEED))
                .isEqualTo(Initializer.HE_LEAKY.values(layer().get(0), SEED));
    }

    @Test
    void everyArchitectureStartsByItsRule() {
        SplittableRandom random = new SplittableRandom(SEED);
        Map<String, Initializer> rules = new LinkedHashMap<>();
        Networks.names()
                .forEach(n -> rules.put(n, RandomNetworks.spec(n, random).initializer()));
        assertThat(rules)
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "PlainConvUNet", Initializer.HE_LEAKY,
                        "ResidualEncoderUNet", Initializer.HE_LEAKY_ZERO_BRANCH,
                        "ResidualUNet", Initializer.HE_LEAKY_ZERO_BRANCH,
                        "BasicUNet", Initializer.PYTORCH_DEFAULT,
                        "ClassicUNet2D", Initializer.XAVIER_UNIFORM,
                        "GenericUNetV1", Initializer.HE_LEAKY));
    }

    /** The last norm of every residual block and no other parameter has the role that starts at zero. */
    @ParameterizedTest
    @ValueSource(strings = {"PlainConvUNet", "ResidualEncoderUNet", "ResidualUNet"})
    void lastNormOfEveryResidualBlockEndsItsBranch(String network) {
        NetworkSpec spec = RandomNetworks.spec(network, new SplittableRandom(SEED));
        for (ParameterSpec p : Networks.parameters(spec)) {
            assertThat(p.role() == ParameterSpec.Role.BRANCH_NORM_WEIGHT)
                    .as(p.name())
                    .isEqualTo(p.name().endsWith(".conv2.norm.weight"));
        }
    }

    private static DoubleStream stream(float[] values) {
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]);
    }
}
