package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.Tolerance;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;

/**
 * One golden trajectory: parameters after every step under given gradients. Half-way the state moves to a second optimizer, as on
 * resuming from a checkpoint.
 *
 * <p>Files made by the first generator hold the end of the reference's float32 run in in/param instead of its start; see
 * {@link #holdsTheEnd}. There the start is found by undoing the first golden step in float64, and the later steps and the
 * hand-computed first step of the optimizer's own test are the test. Files whose in/param is a start are used as they are.
 */
record GoldenTrajectory(GoldenCase golden, Map<String, TorchTensor> tensors) {
    static GoldenTrajectory of(GoldenCase golden) {
        Map<String, TorchTensor> tensors = new LinkedHashMap<>();
        for (JsonNode node : golden.params().path("order")) {
            String name = node.asString();
            tensors.put(name, new TorchTensor(golden.tensor("in/param." + name).shape()));
        }
        return new GoldenTrajectory(golden, tensors);
    }

    int steps() {
        return (int) golden.scalar("steps");
    }

    /** in/param, in PyTorch's layout. */
    Map<String, double[]> given() {
        Map<String, double[]> values = new LinkedHashMap<>();
        tensors.keySet()
                .forEach(name ->
                        values.put(name, golden.tensor("in/param." + name).values()));
        return values;
    }

    /** A golden tensor with a leading axis of steps, at one step. */
    Map<String, double[]> at(String prefix, int step) {
        Map<String, double[]> values = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> {
            double[] all = golden.tensor(prefix + name).values();
            double[] one = new double[tensor.elements()];
            System.arraycopy(all, step * one.length, one, 0, one.length);
            values.put(name, one);
        });
        return values;
    }

    /** Whether in/param is what the last step gave, up to float32 rounding, and not a start. */
    boolean holdsTheEnd() {
        Map<String, double[]> end = at("out/param.", steps() - 1);
        boolean holds = given().entrySet().stream().allMatch(e -> near(e.getValue(), end.get(e.getKey())));
        if (holds) {
            System.out.println(golden.id() + ": in/param is the end of the run; starting from golden step 0, undone");
        }
        return holds;
    }

    private static boolean near(double[] a, double[] b) {
        for (int i = 0; i < a.length; i++) {
            if (Math.abs(a[i] - b[i]) > 1e-5) {
                return false;
            }
        }
        return true;
    }

    /** Runs all steps on each device and compares every parameter after every step. */
    void check(Map<String, double[]> start, Supplier<Optimizer> optimizers, IntToDoubleFunction rate) throws Exception {
        Devices.each(device -> new Run(device, start, optimizers, rate).run());
    }

    private final class Run {
        private final Device device;
        private final Map<String, double[]> start;
        private final Supplier<Optimizer> optimizers;
        private final IntToDoubleFunction rate;
        private final double[] rates = new double[steps()];
        private final double[] norms = new double[steps()];
        private final Map<String, double[]> path = new LinkedHashMap<>();

        Run(Device device, Map<String, double[]> start, Supplier<Optimizer> optimizers, IntToDoubleFunction rate) {
            this.device = device;
            this.start = start;
            this.optimizers = optimizers;
            this.rate = rate;
        }

        void run() {
            try (Scope model = device.scope()) {
                Parameters parameters = parameters(model);
                Optimizer optimizer = optimizers.get();
                for (int t = 0; t < rates.length; t++) {
                    if (t == rates.length / 2) {
                        optimizer = resumed(optimizer, parameters);
                    }
                    step(optimizer, parameters, t);
                }
            }
            compare();
        }

        private Parameters parameters(Scope model) {
            Parameters parameters = new Parameters(
                    model,
                    3,
                    tensors.entrySet().stream()
                            .map(e -> e.getValue().spec(e.getKey()))
                            .toList());
            parameters.byName().forEach((name, t) -> t.set(tensors.get(name).toMemory(start.get(name))));
            return parameters;
        }

        private Optimizer resumed(Optimizer first, Parameters parameters) {
            Optimizer second = optimizers.get();
            Map<String, Tensor> saved = first.state().tensors(parameters);
            second.state()
                    .tensors(parameters)
                    .forEach((name, tensor) -> tensor.set(saved.get(name).toArray()));
            second.state().resume(first.state().steps());
            return second;
        }

        private void step(Optimizer optimizer, Parameters parameters, int t) {
            rates[t] = rate.applyAsDouble(t);
            try (Scope scope = device.scope()) {
                Gradients gradients = gradients(scope, parameters, t);
                GradientNorm norm = GradientNorm.of(parameters, gradients);
                norms[t] = norm.value();
                JsonNode clip = golden.params().path("clip_norm");
                optimizer.step(parameters, gradients, rates[t], clip.isNumber() ? norm.clipFactor(clip.asDouble()) : 1);
            }
            parameters.byName().forEach((name, tensor) -> {
                double[] now = tensors.get(name).toTorch(tensor.toArray());
                double[] all = path.computeIfAbsent(name, n -> new double[rates.length * now.length]);
                System.arraycopy(now, 0, all, t * now.length, now.length);
            });
        }

        /** The gradients of one step: the leaves themselves as outputs with these gradients upstream. */
        private Gradients gradients(Scope scope, Parameters parameters, int t) {
            Map<String, double[]> values = at("in/grad.", t);
            List<Tensor> leaves = new ArrayList<>(parameters.tensors());
            List<Tensor> upstream = new ArrayList<>();
            parameters
                    .byName()
                    .forEach((name, tensor) -> upstream.add(
                            scope.tensor(tensor.shape(), tensors.get(name).toMemory(values.get(name)))));
            return Tape.training(scope, leaves).backward(leaves, upstream);
        }

        private void compare() {
            GoldenCase here = golden.on(device.name());
            path.forEach((name, values) -> here.check("out/param." + name, values));
            here.check("out/lr", rates);
            if (golden.has("out/grad_norm_before_clip")) {
                // Without a tolerance in the manifest: float64 sums of the same float32 gradients, in another order.
                Tolerance rounding = new Tolerance(0, 1e-12, Double.POSITIVE_INFINITY, 0);
                here.check("out/grad_norm_before_clip", golden.tensor("out/grad_norm_before_clip"), norms, rounding);
            }
        }
    }
}
