package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.PreparedCase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Cuts patches out of prepared cases with nnU-Net's rules: cases drawn uniformly with replacement; the last samples of a batch
 * around a foreground voxel, whose class is drawn uniformly among those of the case; voxels outside the case are 0 in image and
 * labels.
 */
public final class PatchSampler {
    private final List<PreparedCase> cases;
    private final Triple size;
    private final int batch;
    private final double foregroundShare;

    /**
     * A sampler of patches.
     *
     * @param size of the patches in voxels
     * @param batch samples per batch
     * @param foregroundShare of each batch that is forced onto foreground
     */
    public PatchSampler(List<PreparedCase> cases, Triple size, int batch, double foregroundShare) {
        if (cases.isEmpty()) {
            throw new ConfigException("no cases to cut patches from; check the split");
        }
        this.cases = List.copyOf(cases);
        this.size = size;
        this.batch = batch;
        this.foregroundShare = foregroundShare;
    }

    /** Whether sample j of a batch is forced onto foreground: j >= rint(batch * (1 - share)). */
    static boolean forced(int j, int batch, double share) {
        return j >= Math.rint(batch * (1 - share));
    }

    /**
     * Sample j of a batch.
     *
     * @param random a stream of its own for every sample
     */
    public Patch sample(int j, CounterRandom random) {
        PreparedCase source = cases.get(random.integer(0, cases.size() - 1));
        int[] voxels = candidates(source, forced(j, batch, foregroundShare), random);
        Range z = Range.of(source.size().d(), size.d(), size.d());
        Range y = Range.of(source.size().h(), size.h(), size.h());
        Range x = Range.of(source.size().w(), size.w(), size.w());
        if (voxels.length == 0) {
            return cut(source, size, z.random(random), y.random(random), x.random(random));
        }
        int voxel = voxels[random.integer(0, voxels.length - 1)];
        int w = source.size().w();
        int h = source.size().h();
        return cut(source, size, z.around(voxel / w / h), y.around(voxel / w % h), x.around(voxel % w));
    }

    /** Voxels of which one becomes the centre; none for a random box. */
    private static int[] candidates(PreparedCase source, boolean forced, CounterRandom random) {
        Map<Integer, int[]> locations = source.locations();
        int[] annotated = locations.getOrDefault(PreparedCase.ANNOTATED, new int[0]);
        if (!forced) {
            return annotated;
        }
        List<int[]> classes = new ArrayList<>();
        locations.forEach((label, voxels) -> {
            if (label != PreparedCase.ANNOTATED && voxels.length > 0) {
                classes.add(voxels);
            }
        });
        return classes.isEmpty() ? annotated : classes.get(random.integer(0, classes.size() - 1));
    }

    /** Cuts a box whose first voxel is (z, y, x), possibly outside. */
    static Patch cut(PreparedCase source, Triple size, int z, int y, int x) {
        int c = source.channels();
        float[] image = new float[size.d() * size.h() * size.w() * c];
        byte[] labels = new byte[size.d() * size.h() * size.w()];
        Triple s = source.size();
        int from = Math.max(0, -x);
        int count = Math.min(size.w(), s.w() - x) - from;
        for (int k = Math.max(0, -z); count > 0 && k < Math.min(size.d(), s.d() - z); k++) {
            for (int j = Math.max(0, -y); j < Math.min(size.h(), s.h() - y); j++) {
                int source0 = ((z + k) * s.h() + y + j) * s.w() + x + from;
                int target0 = (k * size.h() + j) * size.w() + from;
                System.arraycopy(source.image(), source0 * c, image, target0 * c, count * c);
                System.arraycopy(source.labels(), source0, labels, target0, count);
            }
        }
        return new Patch(source.id(), size, c, image, labels);
    }

    /** Possible first indices of a box along one axis, both inclusive. */
    record Range(int low, int high, int edge) {
        /**
         * Range of the first index.
         *
         * @param shape voxels of the case
         * @param initial edge of the box that is cut
         * @param patch edge of the final patch, at most initial
         */
        static Range of(int shape, int initial, int patch) {
            int pad = Math.max(initial - patch, initial - shape);
            int low = Math.floorDiv(-pad, 2);
            int high = shape + Math.floorDiv(pad, 2) + Math.floorMod(pad, 2) - initial;
            return new Range(low, high, initial);
        }

        int random(CounterRandom random) {
            return random.integer(low, high);
        }

        int around(int voxel) {
            return Math.max(low, voxel - edge / 2);
        }
    }
}
