package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.op.Triple;
import java.util.List;

/**
 * Flips image and labels along each of the axes with probability 0.5.
 *
 * @param axes 0 = z, 1 = y, 2 = x
 */
public record Mirror(List<Integer> axes) implements Transform {
    /** Copies the list. */
    public Mirror {
        axes = List.copyOf(axes);
    }

    @Override
    public void apply(Patch patch, CounterRandom random) {
        for (int axis : axes) {
            if (random.chance(0.5)) {
                flip(patch, axis);
            }
        }
    }

    /** Flips one axis in place: blocks of {@code inner} voxels along it change places. */
    static void flip(Patch patch, int axis) {
        Triple s = patch.size();
        int length = axis == 0 ? s.d() : axis == 1 ? s.h() : s.w();
        int inner = axis == 0 ? s.h() * s.w() : axis == 1 ? s.w() : 1;
        int outer = patch.labels().length / (length * inner);
        int c = patch.channels();
        float[] values = new float[inner * c];
        byte[] labels = new byte[inner];
        for (int o = 0; o < outer; o++) {
            for (int i = 0, j = length - 1; i < j; i++, j--) {
                int a = (o * length + i) * inner;
                int b = (o * length + j) * inner;
                System.arraycopy(patch.labels(), a, labels, 0, inner);
                System.arraycopy(patch.labels(), b, patch.labels(), a, inner);
                System.arraycopy(labels, 0, patch.labels(), b, inner);
                System.arraycopy(patch.image(), a * c, values, 0, inner * c);
                System.arraycopy(patch.image(), b * c, patch.image(), a * c, inner * c);
                System.arraycopy(values, 0, patch.image(), b * c, inner * c);
            }
        }
    }
}
