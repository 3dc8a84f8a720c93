package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Trajectories of optimizers, schedules, clipping and averages match PyTorch in float64. */
class OptimizersGoldenTest {
    @TestFactory
    Stream<DynamicTest> trajectoryMatchesTorch() {
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>();
        handlers.put("sgd", c -> {
            Sgd.Settings s = sgd(c.params());
            trajectory(c, () -> new Sgd(s), (x, g, lr) -> {
                double factor = lr * (s.nesterov() ? 1 + s.momentum() : 1);
                return (x + factor * g) / (1 - factor * s.weightDecay());
            });
        });
        handlers.put("adamw", c -> {
            AdamW.Settings s = adamw(c.params());
            trajectory(
                    c,
                    () -> new AdamW(s),
                    (x, g, lr) -> (x + lr * g / (Math.abs(g) + s.eps())) / (1 - lr * s.weightDecay()));
        });
        handlers.put("ranger21", Ranger21Golden::trajectory);
        handlers.put("ranger21_lr", Ranger21Golden::rates);
        handlers.put("lr_schedule", OptimizersGoldenTest::schedules);
        handlers.put("clip_grad_norm", OptimizersGoldenTest::clipping);
        handlers.put("ema", OptimizersGoldenTest::averages);
        return Golden.category("optimizers").tests(handlers);
    }

    private static Sgd.Settings sgd(JsonNode p) {
        return new Sgd.Settings(
                p.path("momentum").asDouble(),
                p.path("nesterov").asBoolean(),
                p.path("dampening").asDouble(),
                p.path("weight_decay").asDouble());
    }

    private static AdamW.Settings adamw(JsonNode p) {
        return new AdamW.Settings(
                p.path("betas").get(0).asDouble(),
                p.path("betas").get(1).asDouble(),
                p.path("eps").asDouble(),
                p.path("weight_decay").asDouble(),
                p.path("amsgrad").asBoolean(),
                true);
    }

    /** The start value of which the first step made x, with the gradient g after clipping. */
    private interface Undo {
        double start(double x, double g, double lr);
    }

    private static void trajectory(GoldenCase golden, Supplier<Optimizer> optimizers, Undo undo) throws Exception {
        GoldenTrajectory trajectory = GoldenTrajectory.of(golden);
        Map<String, double[]> start =
                trajectory.holdsTheEnd() ? undoFirstStep(golden, trajectory, undo) : trajectory.given();
        trajectory.check(start, optimizers, t -> rate(golden.params(), t));
    }

    private static Map<String, double[]> undoFirstStep(GoldenCase golden, GoldenTrajectory trajectory, Undo undo) {
        double lr = golden.tensor("out/lr").values()[0];
        double scale = 1;
        if (golden.has("out/grad_norm_before_clip")) {
            double norm = golden.tensor("out/grad_norm_before_clip").values()[0];
            scale = new GradientNorm(norm)
                    .clipFactor(golden.params().path("clip_norm").asDouble());
        }
        Map<String, double[]> start = trajectory.at("out/param.", 0);
        Map<String, double[]> gradients = trajectory.at("in/grad.", 0);
        for (Map.Entry<String, double[]> entry : start.entrySet()) {
            double[] x = entry.getValue();
            for (int i = 0; i < x.length; i++) {
                x[i] = undo.start(x[i], scale * gradients.get(entry.getKey())[i], lr);
            }
        }
        return start;
    }

    private static double rate(JsonNode p, int step) {
        JsonNode schedule = p.path("schedule");
        double lr = p.path("lr").asDouble();
        Schedule s = schedule.path("type").asString().equals("poly")
                ? new Schedule.Poly(lr, schedule.path("power").asDouble())
                : new Schedule.Constant(lr);
        return s.rate(step, schedule.path("max_steps").asInt());
    }

    /** Vectors, as many as the case has tensors. */
    private static Parameters parameters(GoldenCase golden, Scope scope, String prefix) {
        List<ParameterSpec> specs = new ArrayList<>();
        for (String key : golden.keys()) {
            if (key.startsWith(prefix)) {
                Shape shape = Shape.vector(golden.tensor(key).values().length);
                specs.add(new ParameterSpec(key.substring(prefix.length()), ParameterSpec.Role.BIAS, shape, 1));
            }
        }
        Parameters parameters = new Parameters(scope, 3, specs);
        parameters
                .byName()
                .forEach((name, t) -> t.set(golden.tensor(prefix + name).floats()));
        return parameters;
    }

    private static void schedules(GoldenCase golden) {
        JsonNode p = golden.params();
        int length = p.path("max_steps").asInt();
        int warmUp = p.path("warmup").asInt();
        Schedule poly = poly(p.path("poly"));
        Schedule cosine = new Schedule.Cosine(
                p.path("cosine").path("lr").asDouble(),
                p.path("cosine").path("eta_min").asDouble());
        double warmLr = p.path("warmup_constant").path("lr").asDouble();
        double warmCosineLr = p.path("warmup_cosine").path("lr").asDouble();
        Map<String, Schedule> all = Map.of(
                "poly", poly,
                "cosine", cosine,
                "warmup_poly", new Schedule.WarmUp(warmUp, poly(p.path("warmup_poly"))),
                "warmup_constant", new Schedule.WarmUp(warmUp, new Schedule.Constant(warmLr)),
                "warmup_cosine", new Schedule.WarmUp(warmUp, new Schedule.Cosine(warmCosineLr, 0)));
        int[] steps = golden.tensor("in/step").ints();
        all.forEach((name, schedule) -> golden.check(
                "out/" + name,
                Arrays.stream(steps).mapToDouble(e -> schedule.rate(e, length)).toArray()));
    }

    private static Schedule poly(JsonNode p) {
        return new Schedule.Poly(p.path("lr").asDouble(), p.path("power").asDouble());
    }

    private static void clipping(GoldenCase golden) throws Exception {
        Devices.each(device -> {
            try (Scope scope = device.scope()) {
                Parameters parameters = parameters(golden, scope, "in/grad.");
                List<Tensor> leaves = List.copyOf(parameters.tensors());
                List<Tensor> upstream = leaves.stream().map(t -> t.copy(scope)).toList();
                Gradients gradients = Tape.training(scope, leaves).backward(leaves, upstream);
                GradientNorm norm = GradientNorm.of(parameters, gradients);
                GoldenCase here = golden.on(device.name());
                here.checkScalar("total_norm", norm.value());
                float factor =
                        (float) norm.clipFactor(golden.params().path("max_norm").asDouble());
                parameters.byName().forEach((name, tensor) -> {
                    Tensor clipped = scope.tensor(tensor.shape());
                    clipped.setScaled(factor, gradients.of(tensor).orElseThrow());
                    here.check("out/grad." + name, clipped.toArray());
                });
            }
        });
    }

    private static void averages(GoldenCase golden) throws Exception {
        double[] dice = golden.tensor("in/fg_dice").values();
        double[] smooth = new double[dice.length];
        MovingAverage average =
                MovingAverage.start(golden.params().path("metric_momentum").asDouble());
        for (int i = 0; i < dice.length; i++) {
            average = average.with(dice[i]);
            smooth[i] = average.average().orElseThrow();
        }
        golden.check("out/ema_fg_dice", smooth);
        Devices.each(device -> golden.on(device.name()).check("out/ema_weights", weightPath(golden, device)));
    }

    private static float[] weightPath(GoldenCase golden, Device device) {
        GoldenTensor weights = golden.tensor("in/weights");
        int steps = weights.shape()[0];
        int n = weights.shape()[1];
        float[] path = new float[steps * n];
        try (Scope scope = device.scope()) {
            Parameters parameters = new Parameters(
                    scope, 3, List.of(new ParameterSpec("w", ParameterSpec.Role.BIAS, Shape.vector(n), 1)));
            parameters.get("w").set(Arrays.copyOf(weights.floats(), n));
            WeightEma ema = new WeightEma(
                    scope, parameters, golden.params().path("weight_decay_rate").asDouble());
            for (int t = 0; t < steps; t++) {
                if (t > 0) {
                    parameters.get("w").set(Arrays.copyOfRange(weights.floats(), t * n, (t + 1) * n));
                    ema.update(parameters);
                }
                System.arraycopy(ema.shadow().get("w").toArray(), 0, path, t * n, n);
            }
        }
        return path;
    }
}
