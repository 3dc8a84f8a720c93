package dev.voxgrad.engine.optim;

import dev.voxgrad.golden.GoldenCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assertions;
import tools.jackson.databind.JsonNode;

/**
 * The golden trajectories and learning rates of Ranger21, made by the public code in float64.
 *
 * <p>Three of the four files hold the end of the run in in/param; ranger21_decay_all holds the start. Where the start is missing it
 * is found by undoing golden step 0: x0 = x1 + (x0 - step(x0)) as a fixed point, since clip factors and norm loss depend on x0. One
 * step changes x by at most a few per mille, so a few rounds reach float64 rounding. The 79 later steps are independent of that, and
 * step 5 merges x0 back in.
 */
final class Ranger21Golden {
    private static final int ROUNDS = 100;

    private Ranger21Golden() {}

    /** The kernel follows the golden path, and so does the float64 reference that undoes its first step. */
    static void trajectory(GoldenCase golden) throws Exception {
        JsonNode p = golden.params();
        Ranger21.Settings settings = settings(p);
        int length = p.path("num_epochs").asInt() * p.path("batches_per_epoch").asInt();
        Schedule schedule = schedule(p, length);
        boolean convolutionsOnly = p.path("gc_conv_only").asBoolean();
        Supplier<Ranger21Reference> reference = () -> new Ranger21Reference(settings, convolutionsOnly);
        IntToDoubleFunction rate = t -> schedule.rate(t, length);
        GoldenTrajectory trajectory = GoldenTrajectory.of(golden);
        Map<String, double[]> start = trajectory.holdsTheEnd()
                ? undoFirstStep(trajectory, reference, rate.applyAsDouble(0))
                : trajectory.given();
        checkReference(trajectory, reference, start, rate);
        trajectory.check(
                start,
                () -> new Ranger21(
                        settings,
                        spec -> trajectory.tensors().get(spec.name()).rows(settings.components(), convolutionsOnly)),
                rate);
    }

    private static Ranger21.Settings settings(JsonNode p) {
        Ranger21.Components components = new Ranger21.Components(
                p.path("agc").asBoolean() ? p.path("agc_clip").asDouble() : 0,
                p.path("agc_eps").asDouble(),
                p.path("gc").asBoolean(),
                p.path("norm_gc").asBoolean(),
                p.path("pnm").asBoolean(),
                p.path("softplus").asBoolean() ? p.path("beta_softplus").asDouble() : 0,
                p.path("normloss").asBoolean() ? p.path("normloss_factor").asDouble() : 0,
                p.path("lookahead").asBoolean() ? p.path("lookahead_mergetime").asInt() : 0,
                p.path("lookahead_alpha").asDouble(),
                p.path("decay_scope").asString().equals("all")
                        ? Ranger21.DecayScope.ALL
                        : Ranger21.DecayScope.REFERENCE);
        return new Ranger21.Settings(
                p.path("beta1").asDouble(),
                p.path("beta2").asDouble(),
                p.path("eps").asDouble(),
                p.path("weight_decay").asDouble(),
                components);
    }

    private static Schedule schedule(JsonNode p, int length) {
        int warmUp = p.path("warmup_iters").isNumber()
                ? p.path("warmup_iters").asInt()
                : Schedule.WarmUpWarmDown.automaticWarmUp(p.path("beta2").asDouble(), length);
        if (p.path("warmup").asBoolean()) {
            Assertions.assertEquals(p.path("effective_warmup_iters").asInt(), warmUp, "steps of warm-up");
        }
        return new Schedule.WarmUpWarmDown(
                p.path("lr").asDouble(),
                p.path("warmup").asBoolean() ? warmUp : 0,
                p.path("warmdown").asBoolean() ? p.path("warmdown_start").asDouble() : 1,
                p.path("warmdown_min_lr").asDouble());
    }

    private static Ranger21Reference reference(
            GoldenTrajectory trajectory, Supplier<Ranger21Reference> empty, Map<String, double[]> start) {
        Ranger21Reference reference = empty.get();
        trajectory.tensors().forEach((name, tensor) -> reference.with(tensor, start.get(name)));
        return reference;
    }

    private static Map<String, double[]> undoFirstStep(
            GoldenTrajectory trajectory, Supplier<Ranger21Reference> empty, double lr) {
        List<double[]> gradients = List.copyOf(trajectory.at("in/grad.", 0).values());
        Map<String, double[]> after = trajectory.at("out/param.", 0);
        Map<String, double[]> start = new LinkedHashMap<>();
        after.forEach((name, values) -> start.put(name, values.clone()));
        for (int round = 0; round < ROUNDS; round++) {
            Ranger21Reference reference = reference(trajectory, empty, start);
            reference.step(gradients, lr);
            double worst = 0;
            int index = 0;
            for (Map.Entry<String, double[]> entry : start.entrySet()) {
                double[] found = reference.x(index++);
                for (int i = 0; i < found.length; i++) {
                    double miss = after.get(entry.getKey())[i] - found[i];
                    entry.getValue()[i] += miss;
                    worst = Math.max(worst, Math.abs(miss));
                }
            }
            if (worst < 1e-15) {
                return start;
            }
        }
        return Assertions.fail(trajectory.golden().id() + ": the first step could not be undone");
    }

    private static void checkReference(
            GoldenTrajectory trajectory,
            Supplier<Ranger21Reference> empty,
            Map<String, double[]> start,
            IntToDoubleFunction rate) {
        Ranger21Reference reference = reference(trajectory, empty, start);
        List<String> names = new ArrayList<>(trajectory.tensors().keySet());
        double[][] path = new double[names.size()][];
        for (int t = 0; t < trajectory.steps(); t++) {
            reference.step(List.copyOf(trajectory.at("in/grad.", t).values()), rate.applyAsDouble(t));
            for (int i = 0; i < path.length; i++) {
                double[] x = reference.x(i);
                path[i] = path[i] == null ? new double[trajectory.steps() * x.length] : path[i];
                System.arraycopy(x, 0, path[i], t * x.length, x.length);
            }
        }
        for (int i = 0; i < path.length; i++) {
            trajectory.golden().on("the float64 reference").check("out/param." + names.get(i), path[i]);
        }
    }

    /** Samples of the learning rate for several lengths of training, defaults and lr 1e-3. */
    static void rates(GoldenCase golden) {
        golden.params().properties().forEach(entry -> {
            JsonNode p = entry.getValue();
            int length = p.path("epochs").asInt() * p.path("batches").asInt();
            int warmUp = Schedule.WarmUpWarmDown.automaticWarmUp(0.999, length);
            Assertions.assertEquals(p.path("warmup_iters").asInt(), warmUp, "steps of warm-up");
            Schedule schedule = new Schedule.WarmUpWarmDown(1e-3, warmUp, 0.72, 3e-5);
            int[] steps = golden.tensor("in/step." + entry.getKey()).ints();
            double[] found = new double[steps.length];
            for (int i = 0; i < steps.length; i++) {
                found[i] = schedule.rate(steps[i] - 1, length);
            }
            golden.check("out/lr." + entry.getKey(), found);
        });
    }
}
