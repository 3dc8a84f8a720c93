package dev.voxgrad.engine.train;

import dev.voxgrad.engine.augment.Augmentation;
import dev.voxgrad.engine.augment.CounterRandom;
import dev.voxgrad.engine.augment.Patch;
import dev.voxgrad.engine.augment.PatchSampler;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Patches of one step side by side.
 *
 * @param cases which cases they come from, for messages
 * @param shape of the image, [N,D,H,W,C]
 * @param image NDHWC
 * @param labels [N,D,H,W], unsigned
 */
@SuppressWarnings("ArrayRecordComponent") // handed from the worker to the step, never compared
record Batch(List<String> cases, Shape shape, float[] image, byte[] labels) {
    /** Cuts, augments and joins the patches of a batch; a function of its arguments alone. */
    static Batch make(PatchSampler sampler, int size, Optional<Augmentation> augmentation, CounterRandom random) {
        List<Patch> patches = new ArrayList<>(size);
        for (int j = 0; j < size; j++) {
            CounterRandom stream = random.fork(j);
            Patch patch = sampler.sample(j, stream.fork(0));
            augmentation.ifPresent(a -> a.apply(patch, stream.fork(1)));
            patches.add(patch);
        }
        Patch first = patches.getFirst();
        float[] image = new float[first.image().length * size];
        byte[] labels = new byte[first.labels().length * size];
        for (int j = 0; j < size; j++) {
            System.arraycopy(patches.get(j).image(), 0, image, j * first.image().length, first.image().length);
            System.arraycopy(patches.get(j).labels(), 0, labels, j * first.labels().length, first.labels().length);
        }
        Shape shape =
                new Shape(size, first.size().d(), first.size().h(), first.size().w(), first.channels());
        return new Batch(patches.stream().map(Patch::caseId).toList(), shape, image, labels);
    }

    /** The cases with a label of at least this one, each once. */
    List<String> casesWithLabelsFrom(int least) {
        int voxels = labels.length / cases.size();
        return IntStream.range(0, cases.size())
                .filter(j -> IntStream.range(j * voxels, (j + 1) * voxels)
                        .anyMatch(i -> Byte.toUnsignedInt(labels[i]) >= least))
                .mapToObj(cases::get)
                .distinct()
                .toList();
    }
}
