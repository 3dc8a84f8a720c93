package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Small networks of every architecture with random sizes, and inputs that they can take. */
final class RandomNetworks {
    private RandomNetworks() {}

    /** A valid specification that uses whatever the architecture has: anisotropic kernels and strides, mish, dropout. */
    static NetworkSpec spec(String network, SplittableRandom random) {
        boolean basic = network.equals("BasicUNet");
        boolean classic = network.equals("ClassicUNet2D");
        boolean v1 = network.equals("GenericUNetV1");
        int dim = classic || random.nextBoolean() ? 2 : 3;
        int stages = random.nextInt(2, 5);
        List<List<Integer>> kernels = new ArrayList<>();
        List<List<Integer>> strides = new ArrayList<>();
        for (int s = 0; s < stages; s++) {
            kernels.add(integers(random, dim, v1 ? List.of(1, 3) : List.of(1, 3, 3, 5)));
            strides.add(s == 0 ? Collections.nCopies(dim, 1) : integers(random, dim, List.of(1, 2, 2, 3)));
        }
        return new NetworkSpec(
                network,
                dim,
                random.nextInt(1, 4),
                random.nextInt(1, 5),
                integers(random, stages, List.of(2, 3, 4, 5, 8)),
                kernels,
                strides,
                integers(random, stages, List.of(1, 2, 3)),
                integers(random, stages - 1, List.of(1, 2)),
                !basic && !classic && random.nextBoolean(),
                random.nextInt(4) / 10.0,
                random.nextBoolean() ? 1e-5 : 1e-3,
                random.nextBoolean() ? NetworkSpec.MISH : NetworkSpec.LEAKY_RELU,
                basic ? random.nextInt(3) / 4.0 : 0,
                basic ? random.nextInt(4) : 0);
    }

    private static List<Integer> integers(SplittableRandom random, int count, List<Integer> choice) {
        return Stream.generate(() -> choice.get(random.nextInt(choice.size())))
                .limit(count)
                .toList();
    }

    /** Two or three voxels are left on every axis, in one more in width; sizes are odd where the architecture allows it. */
    static Shape input(NetworkSpec spec, SplittableRandom random) {
        Triple r = spec.reduction(spec.stages() - 1);
        boolean odd = spec.network().equals("BasicUNet");
        return new Shape(
                random.nextInt(1, 3),
                spec.dim() == 2 ? 1 : size(r.d(), 2, odd, random),
                size(r.h(), 2, odd, random),
                size(r.w(), 3, odd, random),
                spec.inChannels());
    }

    private static int size(int reduction, int left, boolean odd, SplittableRandom random) {
        return reduction * left + (odd ? random.nextInt(reduction) : 0);
    }

    /** Normal random values. */
    static Tensor tensor(Scope scope, Shape shape, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return scope.tensor(shape, values);
    }
}
