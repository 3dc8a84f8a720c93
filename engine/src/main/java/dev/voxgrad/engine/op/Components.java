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

/**
 * Connected components of 0/1 targets, every sample and channel by itself.
 *
 * @param ids four bytes per voxel and channel [N,D,H,W,C], to be read as int32: 0 is background, components count from 1 in the order of
 *     their first voxel
 * @param counts number of components, sample by sample and channel by channel
 */
public record Components(Tensor ids, List<Long> counts) {
    /** What {@link #label} takes: neighbours that share a face, a face or an edge, or at least a corner; 4, 8, 8 in 2D. */
    public static final List<Integer> CONNECTIVITIES = List.of(6, 18, 26);

    /** Copies the list. */
    public Components {
        counts = List.copyOf(counts);
    }

    /**
     * Finds the components.
     *
     * @param scope owner of the ids
     * @param targets [N,D,H,W,C], not 0 is foreground
     * @param mask 0/1 bytes [N,D,H,W,1]; where it is 0 there is background
     * @param connectivity one of {@link #CONNECTIVITIES}
     */
    public static Components label(Scope scope, Labels targets, Optional<Labels> mask, int connectivity) {
        Shape s = targets.shape();
        Tensor ids = scope.tensor(s);
        NativeContext context = targets.device().context();
        long[] counts = new long[Math.toIntExact(s.n() * s.c())];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment p = vg_components.allocate(arena);
            vg_components.size(p, vg_components.sizeof());
            vg_components.n(p, s.n());
            vg_components.d(p, s.d());
            vg_components.h(p, s.h());
            vg_components.w(p, s.w());
            vg_components.c(p, s.c());
            vg_components.connectivity(p, connectivity);
            vg_components.foreground(p, 0);
            MemorySegment out = arena.allocate(ValueLayout.JAVA_LONG, counts.length);
            targets.device().announce(Work.of("components_label", 0, s, s, s.elements() + Work.bytes(ids)));
            context.check(VoxgradH.vg_components_label(
                    context.handle(),
                    p,
                    targets.data(),
                    mask.map(Labels::data).orElse(MemorySegment.NULL),
                    ids.data(),
                    out));
            MemorySegment.copy(out, ValueLayout.JAVA_LONG, 0, counts, 0, counts.length);
        }
        return new Components(ids, Arrays.stream(counts).boxed().toList());
    }

    /** The number of components in the sample and channel that has most. */
    public long largestCount() {
        return counts.stream().mapToLong(c -> c).max().orElse(0);
    }
}
