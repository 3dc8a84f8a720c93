package dev.voxgrad.engine.optim;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_ranger21;
import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.JsonDefault;
import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Ranger21 (Wright and Demeure 2021): Adam's second moment under a positive-negative momentum, with clipping, centralisation and
 * normalisation of the gradients, stable weight decay, norm loss, softplus and look-ahead. Its warm-up and warm-down are
 * {@link Schedule.WarmUpWarmDown}. Formulas and the order of the components: {@code vg_ranger21} in {@code voxgrad.h}.
 */
public final class Ranger21 implements Optimizer {
    /** Which tensors weight decay and norm loss act on. */
    public enum DecayScope {
        /** All, as the method is described. */
        @JsonProperty("all")
        ALL,
        /** The last one only, as the public code does because it reuses a loop variable. */
        @JsonProperty("reference")
        REFERENCE;

        @Override
        public String toString() {
            return this == ALL ? "all" : "reference";
        }
    }

    /**
     * What can be switched off. The defaults are those of the public code, but for the scope of the decays. The number that goes with
     * something switched off must have its default. The public code's {@code gc_conv_only} is left out: every weight of a network here
     * is a convolution's.
     *
     * @param clip adaptive gradient clipping: largest norm of a row's gradient in units of the row's norm; 0 = off
     * @param clipEps least norm of a row for that purpose; only with clip
     * @param centralize whether each row of the gradient of a weight has its mean subtracted
     * @param normalize whether the gradient of a tensor is divided by its standard deviation
     * @param positiveNegative whether two momenta take turns and the older one is subtracted; off: Adam's first moment
     * @param softplus beta of the softplus of the denominator; 0 = off
     * @param normLoss weight of the loss that pulls the norm of each row to 1; 0 = off
     * @param lookaheadSteps steps between two merges with the slow weights; 0 = off
     * @param lookaheadAlpha share of the fast weights in a merge; only with lookaheadSteps
     * @param decayScope what weight decay and norm loss act on
     */
    public record Components(
            @JsonDefault("0.01") double clip,
            @JsonDefault("0.001") double clipEps,
            @JsonDefault("true") boolean centralize,
            @JsonDefault("true") boolean normalize,
            @JsonDefault("true") boolean positiveNegative,
            @JsonDefault("50.0") double softplus,
            @JsonDefault("1.0E-4") double normLoss,
            @JsonDefault("5") int lookaheadSteps,
            @JsonDefault("0.5") double lookaheadAlpha,
            @JsonDefault("\"all\"") DecayScope decayScope) {
        private static final double CLIP_EPS = 1e-3;
        private static final double LOOKAHEAD_ALPHA = 0.5;

        /** All on. */
        public static final Components DEFAULT =
                new Components(0.01, CLIP_EPS, true, true, true, 50, 1e-4, 5, LOOKAHEAD_ALPHA, DecayScope.ALL);

        /** Checks the ranges. */
        public Components {
            require(clip >= 0 && clip < 1e6, "clip", clip, "0 (off) or a positive number such as 0.01");
            require(clipEps > 0 && clipEps < 1e6, "clipEps", clipEps, "a positive number such as 1e-3");
            require(softplus >= 0 && softplus < 1e6, "softplus", softplus, "0 (off) or a positive number such as 50");
            require(normLoss >= 0 && normLoss < 1e6, "normLoss", normLoss, "0 (off) or a positive number such as 1e-4");
            require(lookaheadSteps >= 0, "lookaheadSteps", lookaheadSteps, "0 (off) or a number of steps such as 5");
            require(
                    lookaheadAlpha >= 0 && lookaheadAlpha <= 1,
                    "lookaheadAlpha",
                    lookaheadAlpha,
                    "a number in [0, 1] such as 0.5");
            require(clip > 0 || clipEps == CLIP_EPS, "clipEps", clipEps, "it with a clip above 0, or leave it out");
            require(
                    lookaheadSteps > 0 || lookaheadAlpha == LOOKAHEAD_ALPHA,
                    "lookaheadAlpha",
                    lookaheadAlpha,
                    "it with lookaheadSteps above 0, or leave it out");
        }

        private static void require(boolean holds, String key, Object found, String valid) {
            if (!holds) {
                throw new ConfigException("ranger21." + key + " is " + found + "; use " + valid);
            }
        }
    }

    /** Its constants; the usual ones are 0.9, 0.999, 1e-8, 1e-4. */
    public record Settings(double beta1, double beta2, double eps, double weightDecay, Components components) {
        /** The public code's, with all tensors decayed. */
        public static final Settings DEFAULT = new Settings(0.9, 0.999, 1e-8, 1e-4, Components.DEFAULT);

        /** Checks the ranges. */
        public Settings {
            AdamW.Settings.requireRanges("ranger21", beta1, beta2, eps, weightDecay);
        }
    }

    /**
     * How the elements of a tensor belong together in memory.
     *
     * @param group adjacent elements that share a norm
     * @param row adjacent elements that are centred together, 0 = not centred
     */
    record Rows(long group, long row) {
        /** Weights of convolutions have more than three axes: all but the first make a row. Vectors are one group. */
        static Rows of(ParameterSpec spec, Components components) {
            if (spec.role() != ParameterSpec.Role.WEIGHT) {
                return new Rows(spec.shape().elements(), 0);
            }
            long row = spec.shape().elements() / spec.shape().n();
            return new Rows(row, components.centralize() ? row : 0);
        }
    }

    private static final String ODD = "odd_momentum";
    private static final String EVEN = "even_momentum";
    private static final String SECOND = "second_moment";
    private static final String SLOW = "slow_weight";

    private final Settings settings;
    private final Function<ParameterSpec, Rows> rows;
    private final OptimizerState state;

    /** Sums of the second moments of {@link #summed}, carried from step to step; NaN = unknown. */
    private double[] sums = {};

    private List<String> summed = List.of();
    private int resumptions;

    /** With moments that start at zero and slow weights that start as a copy of the parameters. */
    public Ranger21(Settings settings) {
        this(settings, spec -> Rows.of(spec, settings.components()));
    }

    /** For parameters with two or three axes, which networks do not have. */
    Ranger21(Settings settings, Function<ParameterSpec, Rows> rows) {
        this.settings = settings;
        this.rows = rows;
        Map<String, OptimizerState.Start> kinds = new LinkedHashMap<>();
        kinds.put(ODD, OptimizerState.Start.ZERO);
        if (settings.components().positiveNegative()) {
            kinds.put(EVEN, OptimizerState.Start.ZERO);
        }
        kinds.put(SECOND, OptimizerState.Start.ZERO);
        if (settings.components().lookaheadSteps() > 0) {
            kinds.put(SLOW, OptimizerState.Start.PARAMETER);
        }
        this.state = new OptimizerState(kinds);
    }

    @Override
    public void step(Parameters parameters, Gradients gradients, double lr, double gradientScale) {
        Table table = new Table(parameters, gradients);
        Map<String, Tensor> tensors = state.tensors(parameters);
        state.advance();
        if (table.isEmpty()) {
            return;
        }
        forgetStaleSums(table.names());
        Map<String, Rows> rowsByName = parameters.specs().stream().collect(Collectors.toMap(ParameterSpec::name, rows));
        Components c = settings.components();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = problem(arena, lr, gradientScale);
            MemorySegment sumOfEach = arena.allocateFrom(ValueLayout.JAVA_DOUBLE, sums);
            // Every component at work; parameter and averages are read and written, the gradient is read.
            table.announce("ranger21_step", 25, c.positiveNegative() ? 8 : 7);
            table.context()
                    .check(VoxgradH.vg_ranger21_step(
                            table.context().handle(),
                            p,
                            table.count(),
                            table.lengths(arena),
                            longs(arena, table, n -> rowsByName.get(n).group()),
                            longs(arena, table, n -> rowsByName.get(n).row()),
                            table.parameters(arena),
                            table.gradients(arena),
                            table.states(arena, tensors, n -> ODD + "." + n),
                            c.positiveNegative()
                                    ? table.states(arena, tensors, n -> EVEN + "." + n)
                                    : MemorySegment.NULL,
                            table.states(arena, tensors, n -> SECOND + "." + n),
                            c.lookaheadSteps() > 0
                                    ? table.states(arena, tensors, n -> SLOW + "." + n)
                                    : MemorySegment.NULL,
                            sumOfEach));
            sums = sumOfEach.toArray(ValueLayout.JAVA_DOUBLE);
        }
    }

    private MemorySegment problem(Arena arena, double lr, double gradientScale) {
        Components c = settings.components();
        MemorySegment p = vg_ranger21.allocate(arena);
        vg_ranger21.size(p, vg_ranger21.sizeof());
        vg_ranger21.step(p, state.steps());
        vg_ranger21.lr(p, lr);
        vg_ranger21.beta1(p, settings.beta1());
        vg_ranger21.beta2(p, settings.beta2());
        vg_ranger21.eps(p, settings.eps());
        vg_ranger21.clip(p, c.clip());
        vg_ranger21.clip_eps(p, c.clipEps());
        vg_ranger21.weight_decay(p, settings.weightDecay());
        vg_ranger21.norm_loss(p, c.normLoss());
        vg_ranger21.softplus(p, c.softplus());
        vg_ranger21.alpha(p, c.lookaheadAlpha());
        vg_ranger21.gradient_scale(p, (float) gradientScale);
        vg_ranger21.normalize(p, c.normalize() ? 1 : 0);
        vg_ranger21.positive_negative(p, c.positiveNegative() ? 1 : 0);
        vg_ranger21.shrink_last_only(p, c.decayScope() == DecayScope.REFERENCE ? 1 : 0);
        vg_ranger21.merge(p, c.lookaheadSteps() > 0 && state.steps() % c.lookaheadSteps() == 0 ? 1 : 0);
        vg_ranger21.reserved(p, 0);
        return p;
    }

    private static MemorySegment longs(Arena arena, Table table, Function<String, Long> value) {
        return arena.allocateFrom(
                ValueLayout.JAVA_LONG,
                table.names().stream().mapToLong(value::apply).toArray());
    }

    private void forgetStaleSums(List<String> names) {
        if (resumptions != state.resumptions() || !names.equals(summed)) {
            resumptions = state.resumptions();
            summed = List.copyOf(names);
            sums = new double[names.size()];
            Arrays.fill(sums, Double.NaN);
        }
    }

    @Override
    public OptimizerState state() {
        return state;
    }
}
