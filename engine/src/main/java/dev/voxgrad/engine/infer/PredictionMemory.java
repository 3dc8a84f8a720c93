package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.nn.NetworkSpec;
import dev.voxgrad.engine.nn.Networks;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Megabytes;
import dev.voxgrad.engine.tensor.Scope;
import java.util.List;

/** The device memory of a prediction: weights, feature maps of a tile, scratch memory of the kernels, logits of the planes at work. */
public final class PredictionMemory {
    private PredictionMemory() {}

    /**
     * Bytes that the prediction of a volume of one tile needs, measured on a device that computes nothing. Larger volumes need their
     * image and the logits of their planes besides.
     *
     * @param target device that will predict; scratch memory depends on its threads and precision
     */
    public static long needed(NetworkSpec network, SlidingWindow window, Device target) {
        Triple tile = window.tile();
        SlidingWindow plain =
                new SlidingWindow(tile, window.rule(), window.step(), window.map(), List.of(), window.padding());
        try (Device device = target.measuring();
                Scope scope = device.scope()) {
            float[] image = new float[Math.multiplyExact(tile.d() * tile.h() * tile.w(), network.inChannels())];
            plain.predict(
                    "a tile",
                    device,
                    List.of(Networks.create(network, scope)),
                    image,
                    tile,
                    (z, logits) -> {},
                    (done, total) -> {});
            return device.describe().poolReservedBytes();
        }
    }

    /**
     * Checks that a device has the memory for the smallest volume.
     *
     * @throws ConfigException with the number needed
     */
    public static void require(NetworkSpec network, SlidingWindow window, Device device) {
        long limit = device.memoryLimitBytes();
        long bytes = limit == 0 ? 0 : needed(network, window, device);
        if (bytes > limit) {
            Megabytes needed = Megabytes.needed(bytes);
            throw new ConfigException("the prediction needs at least " + needed + " of memory; the limit is "
                    + Megabytes.limit(limit) + ". Use --memory-limit " + needed.option()
                    + " or more, or a model with smaller patches");
        }
    }
}
