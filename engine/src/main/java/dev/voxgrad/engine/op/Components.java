package dev.voxgrad.engine.op;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_components;
import dev.voxgrad.engine.tensor.Labels;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Connected components of a set of voxels, every sample by itself.
 *
 * @param ids four bytes per voxel [N,D,H,W,1], to be read as int32: 0 is background, components count from 1 in the order of their
 *     first voxel
 * @param counts number of components of each sample
 */
public record Components(Tensor ids, List<Long> counts) {
    /** What {@link #label} takes: neighbours that share a face, a face or an edge, or at least a corner; 4, 8, 8 in 2D. */
    public static final List<Integer> CONNECTIVITIES = List.of(6, 18, 26);

    /** Labels are bytes. */
    private static final int LABELS = 256;

    /** Copies the list. */
    public Components {
        counts = List.copyOf(counts);
    }

    /**
     * Finds the components.
     *
     * @param scope owner of the ids
     * @param targets [N,D,H,W,C], not 0 is foreground
     * @param channel which of them
     * @param mask 0/1 bytes [N,D,H,W,1]; where it is 0 there is background
     * @param connectivity one of {@link #CONNECTIVITIES}
     */
    public static Components label(Scope scope, Labels targets, int channel, Optional<Labels> mask, int connectivity) {
        Tensor ids = scope.tensor(targets.shape().withChannels(1));
        List<Long> counts = label(ids, targets, channel, Optional.empty(), mask, connectivity, false);
        return new Components(ids, counts);
    }

    /**
     * Writes ids and returns the number of components of each sample.
     *
     * @param set labels that are foreground; none: all but 0
     * @param keep true: ids of background voxels stay as they are; false: they become 0
     */
    static List<Long> label(
            Tensor ids,
            Labels labels,
            int channel,
            Optional<Set<Integer>> set,
            Optional<Labels> mask,
            int connectivity,
            boolean keep) {
        Shape s = labels.shape();
        NativeContext context = labels.device().context();
        long[] counts = new long[Math.toIntExact(s.n())];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = vg_components.allocate(arena);
            vg_components.size(p, vg_components.sizeof());
            vg_components.n(p, s.n());
            vg_components.d(p, s.d());
            vg_components.h(p, s.h());
            vg_components.w(p, s.w());
            vg_components.x_stride(p, s.c());
            vg_components.connectivity(p, connectivity);
            vg_components.keep(p, keep ? 1 : 0);
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, counts.length);
            labels.device()
                    .announce(
                            Work.of("components_label", 0, ids, ids, ids.shape().elements() + Work.bytes(ids)));
            context.check(VoxgradH.vg_components_label(
                    context.handle(),
                    p,
                    labels.data().asSlice(channel),
                    set.map(some -> table(arena, some)).orElse(MemorySegment.NULL),
                    mask.map(Labels::data).orElse(MemorySegment.NULL),
                    ids.data(),
                    out));
            MemorySegment.copy(out, ValueLayout.JAVA_LONG, 0, counts, 0, counts.length);
        }
        return Arrays.stream(counts).boxed().toList();
    }

    private static MemorySegment table(Arena arena, Set<Integer> set) {
        MemorySegment table = arena.allocate(LABELS);
        set.forEach(label -> table.set(ValueLayout.JAVA_BYTE, label, (byte) 1));
        return table;
    }
}
