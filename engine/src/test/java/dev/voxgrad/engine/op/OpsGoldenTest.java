package dev.voxgrad.engine.op;

import dev.voxgrad.engine.autograd.Gradients;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.golden.ChannelsLast;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.Golden;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenTensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/** Forward results and all gradients of each op match PyTorch in float64, for dense tensors and for channel slices. */
class OpsGoldenTest {
    /** An op on the inputs of a case. */
    private interface Run {
        Tensor apply(Tape tape, Map<String, Tensor> in);
    }

    @TestFactory
    Stream<DynamicTest> opMatchesTorch() {
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>();
        handlers.put("conv", c -> check(c, conv(c)));
        handlers.put(
                "conv_transpose",
                c -> check(
                        c,
                        (tape, in) -> ConvTranspose3d.apply(
                                tape, in.get("x"), in.get("weight"), bias(in), Optional.empty())));
        handlers.put(
                "instance_norm",
                c -> check(
                        c,
                        false,
                        (tape, in) -> InstanceNorm.apply(
                                tape,
                                in.get("x"),
                                in.get("weight"),
                                in.get("bias"),
                                floating(c, "eps"),
                                Activation.Function.IDENTITY,
                                Optional.empty())));
        handlers.put(
                "leaky_relu", c -> check(c, activation(Activation.Function.leakyRelu(floating(c, "negative_slope")))));
        handlers.put("relu", c -> check(c, activation(Activation.Function.RELU)));
        handlers.put("mish", c -> check(c, activation(Activation.Function.MISH)));
        handlers.put("sigmoid", c -> check(c, activation(Activation.Function.SIGMOID)));
        handlers.put(
                "softplus",
                c -> check(c, activation(Activation.Function.softplus(floating(c, "beta"), floating(c, "threshold")))));
        handlers.put("softmax", c -> check(c, (tape, in) -> Softmax.apply(tape, in.get("x"))));
        handlers.put("log_softmax", c -> check(c, (tape, in) -> Softmax.applyLog(tape, in.get("x"))));
        handlers.put(
                "max_pool",
                c -> check(c, (tape, in) -> Pool.apply(tape, in.get("x"), Pool.Kind.MAX, triple(c, "kernel"))));
        handlers.put(
                "avg_pool",
                c -> check(c, (tape, in) -> Pool.apply(tape, in.get("x"), Pool.Kind.AVERAGE, triple(c, "kernel"))));
        handlers.put(
                "interpolate",
                c -> check(c, (tape, in) -> Interpolate.apply(tape, in.get("x"), triple(c, "size"), mode(c))));
        handlers.put("label_nearest_exact", OpsGoldenTest::checkLabels);
        handlers.put("concat", c -> check(c, (tape, in) -> Concat.apply(tape, in.get("a"), in.get("b"))));
        handlers.put(
                "pad_replicate",
                c -> check(c, (tape, in) -> Pad.apply(tape, in.get("x"), triple(c, "after"), Pad.Mode.REPLICATE)));
        handlers.put(
                "dropout_with_mask",
                c -> check(
                        c,
                        (tape, in) -> Dropout.withMask(
                                tape,
                                in.get("x"),
                                floating(c, "p"),
                                ChannelsLast.channels(tape.scope(), c.tensor("in/keep")))));
        return Golden.category("ops").tests(handlers);
    }

    private static Run conv(GoldenCase c) {
        return (tape, in) ->
                Conv3d.apply(tape, in.get("x"), in.get("weight"), bias(in), triple(c, "stride"), padding(c));
    }

    private static Run activation(Activation.Function function) {
        return (tape, in) -> Activation.apply(tape, in.get("x"), function);
    }

    private static void check(GoldenCase golden, Run run) throws Exception {
        check(golden, true, run);
    }

    private static void check(GoldenCase golden, boolean slicedInputs, Run run) throws Exception {
        Devices.each(device -> {
            for (boolean sliced : new boolean[] {false, true}) {
                try (Scope scope = device.scope()) {
                    check(golden.on(device.name() + (sliced ? ", slices" : "")), scope, sliced, slicedInputs, run);
                }
            }
        });
    }

    private static void check(GoldenCase golden, Scope scope, boolean sliced, boolean slicedInputs, Run run) {
        Map<String, Tensor> in = new LinkedHashMap<>();
        for (String key : golden.keys()) {
            String name = key.substring(key.indexOf('/') + 1);
            if (key.startsWith("in/") && golden.has("grad/" + name)) {
                Tensor dense = ChannelsLast.tensor(scope, golden.tensor(key));
                boolean image = name.equals("x") || name.equals("a") || name.equals("b");
                in.put(name, sliced && slicedInputs && image ? slice(scope, dense) : dense);
            }
        }
        Tape tape = Tape.training(scope, in.values());
        Tensor y = run.apply(tape, in);
        golden.check("out/y", ChannelsLast.array(y));
        tape.done(y); // an op that reads its output backward must say so
        Tensor gy = ChannelsLast.tensor(scope, golden.tensor("in/gy"));
        Gradients gradients = tape.backward(List.of(y), List.of(sliced ? slice(scope, gy) : gy));
        in.forEach((name, tensor) -> golden.check(
                "grad/" + name, ChannelsLast.array(gradients.of(tensor).orElseThrow())));
    }

    /** The same values as channels 2 onwards of a wider tensor that holds NaN elsewhere. */
    private static Tensor slice(Scope scope, Tensor dense) {
        Shape s = dense.shape();
        Tensor buffer = scope.tensor(s.withChannels(s.c() + 3));
        buffer.fill(Float.NaN);
        Tensor slice = buffer.slice(2, s.c());
        slice.setScaled(1, dense);
        return slice;
    }

    private static void checkLabels(GoldenCase golden) throws Exception {
        Devices.each(device -> {
            try (Scope scope = device.scope()) {
                for (int i = 0; golden.has("out/labels." + i); i++) {
                    GoldenTensor wanted = golden.tensor("out/labels." + i);
                    int[] s = wanted.shape();
                    Triple size = s.length == 4 ? new Triple(s[1], s[2], s[3]) : new Triple(1, s[1], s[2]);
                    byte[] got = Interpolate.resizeNearest(
                                    scope, ChannelsLast.labels(scope, golden.tensor("in/labels")), size)
                            .toArray();
                    int[] numbers = new int[got.length];
                    for (int j = 0; j < got.length; j++) {
                        numbers[j] = got[j] & 0xFF;
                    }
                    golden.on(device.name()).check("out/labels." + i, numbers);
                }
            }
        });
    }

    private static Optional<Tensor> bias(Map<String, Tensor> in) {
        return Optional.ofNullable(in.get("bias"));
    }

    private static float floating(GoldenCase c, String name) {
        return (float) c.params().path(name).asDouble();
    }

    private static Interpolate.Mode mode(GoldenCase c) {
        if (c.params().path("mode").asString().equals("nearest")) {
            return Interpolate.Mode.NEAREST;
        }
        boolean corners = c.params().path("align_corners").asBoolean();
        return corners ? Interpolate.Mode.LINEAR_CORNERS : Interpolate.Mode.LINEAR;
    }

    private static Triple triple(GoldenCase c, String name) {
        JsonNode a = c.params().path(name);
        return a.size() == 3
                ? new Triple(a.get(0).asInt(), a.get(1).asInt(), a.get(2).asInt())
                : new Triple(1, a.get(0).asInt(), a.get(1).asInt());
    }

    /** In 2D the depth axis has no padding. */
    private static Triple padding(GoldenCase c) {
        Triple p = triple(c, "padding");
        return c.params().path("padding").size() == 3 ? p : new Triple(0, p.h(), p.w());
    }
}
