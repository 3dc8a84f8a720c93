package dev.voxgrad.engine.metric;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.op.Components;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * The connected components of a mask.
 *
 * @param ids by voxel: 0 is background, lesions count from 1 in raster order of their first voxel
 * @param voxels by id; entry 0 is not used
 */
@SuppressWarnings("ArrayRecordComponent") // a plain carrier, never compared as a whole
record Lesions(int[] ids, int[] voxels) {
    /**
     * Finds them.
     *
     * @param device a CPU
     * @param connectivity 6, 18 or 26; 4, 8, 8 where the grid has depth 1
     * @param smallest lesions with fewer voxels become background
     */
    static Lesions of(Device device, byte[] mask, Grid grid, int connectivity, long smallest) {
        int[] ids = new int[mask.length];
        int count;
        try (Scope scope = device.scope()) {
            Shape shape = new Shape(1, grid.depth(), grid.height(), grid.width(), 1);
            Components found = Components.label(scope, scope.labels(shape, mask), 0, Optional.empty(), connectivity);
            count = Math.toIntExact(found.counts().getFirst());
            MemorySegment.copy(found.ids().data(), ValueLayout.JAVA_INT, 0, ids, 0, ids.length);
        }
        int[] voxels = new int[count + 1];
        for (int id : ids) {
            voxels[id]++;
        }
        voxels[0] = 0;
        Lesions all = new Lesions(ids, voxels);
        return smallest <= 1 ? all : all.without(smallest);
    }

    private Lesions without(long smallest) {
        int[] renamed = new int[voxels.length];
        int kept = 0;
        for (int id = 1; id < voxels.length; id++) {
            renamed[id] = voxels[id] >= smallest ? ++kept : 0;
        }
        int[] sizes = new int[kept + 1];
        for (int id = 1; id < voxels.length; id++) {
            sizes[renamed[id]] = renamed[id] == 0 ? 0 : voxels[id];
        }
        return new Lesions(Arrays.stream(ids).map(id -> renamed[id]).toArray(), sizes);
    }

    int count() {
        return voxels.length - 1;
    }
}
