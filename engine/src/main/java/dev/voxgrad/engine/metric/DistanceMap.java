package dev.voxgrad.engine.metric;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.bindings.ffi.vg_distance;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Work;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The exact Euclidean distance of every voxel of a grid to the nearest voxel of a set, between voxel centres, in the unit of the
 * spacing; 0 in the set, infinite everywhere when the set is empty. 8 bytes a voxel of native memory until it is closed.
 */
public final class DistanceMap implements AutoCloseable {
    private final NativeContext context;
    private MemorySegment distances;

    private DistanceMap(NativeContext context, MemorySegment distances) {
        this.context = context;
        this.distances = distances;
    }

    /**
     * Computes the distances on a CPU; other devices have no kernel for it.
     *
     * @param set not 0 where a voxel belongs to the set
     * @param spacing z, y, x
     * @throws dev.voxgrad.bindings.NativeException on another device, or for a spacing that is not positive
     */
    public static DistanceMap of(Device device, byte[] set, Grid grid, double... spacing) {
        NativeContext context = device.context();
        DistanceMap map = new DistanceMap(context, context.allocate((long) grid.voxels() * Double.BYTES));
        try (Arena arena = Arena.ofConfined();
                Scope scope = device.scope()) {
            MemorySegment p = vg_distance.allocate(arena);
            vg_distance.size(p, vg_distance.sizeof());
            vg_distance.d(p, grid.depth());
            vg_distance.h(p, grid.height());
            vg_distance.w(p, grid.width());
            vg_distance.spacing_d(p, spacing[0]);
            vg_distance.spacing_h(p, spacing[1]);
            vg_distance.spacing_w(p, spacing[2]);
            MemorySegment x = scope.labels(new Shape(1, grid.depth(), grid.height(), grid.width(), 1), set)
                    .data();
            Shape volume = new Shape(1, grid.depth(), grid.height(), grid.width(), 1);
            long bytes = volume.elements() * (1 + Double.BYTES);
            device.announce(Work.of("distance_transform", 0, volume, volume, bytes));
            context.check(VoxgradH.vg_distance_transform(context.handle(), p, x, map.distances));
            return map;
        } catch (RuntimeException e) {
            map.close();
            throw e;
        }
    }

    /** The distance at a flat position. */
    public double at(int flat) {
        return distances.getAtIndex(ValueLayout.JAVA_DOUBLE, flat);
    }

    @Override
    public void close() {
        if (distances != null) {
            context.free(distances);
            distances = null;
        }
    }
}
