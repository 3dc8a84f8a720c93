package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.op.Triple;
import java.util.Arrays;
import java.util.List;

/** The region of a case that holds data: voxels where any channel is not 0, and the holes between them. */
final class NonzeroMask {
    private NonzeroMask() {}

    /** The mask [z][y][x] of a case; a hole is background that no path of 6-neighbours connects to the border of the volume. */
    static boolean[] of(List<float[]> channels, Triple size) {
        int voxels = size.d() * size.h() * size.w();
        boolean[] mask = new boolean[voxels];
        for (float[] channel : channels) {
            for (int i = 0; i < voxels; i++) {
                mask[i] |= channel[i] != 0;
            }
        }
        boolean[] outside = outside(mask, size);
        for (int i = 0; i < voxels; i++) {
            mask[i] = !outside[i];
        }
        return mask;
    }

    /** Background that is connected to the border: a flood fill with an explicit stack. */
    private static boolean[] outside(boolean[] mask, Triple size) {
        int w = size.w();
        int plane = size.h() * w;
        boolean[] reached = new boolean[mask.length];
        Stack open = new Stack();
        for (int i = 0; i < mask.length; i++) {
            int z = i / plane;
            int y = i / w % size.h();
            int x = i % w;
            boolean border = z == 0 || z == size.d() - 1 || y == 0 || y == size.h() - 1 || x == 0 || x == w - 1;
            if (border && !mask[i] && !reached[i]) {
                reached[i] = true;
                open.push(i);
            }
            while (!open.isEmpty()) {
                int v = open.pop();
                int vx = v % w;
                int vy = v / w % size.h();
                visit(v - 1, vx > 0, mask, reached, open);
                visit(v + 1, vx < w - 1, mask, reached, open);
                visit(v - w, vy > 0, mask, reached, open);
                visit(v + w, vy < size.h() - 1, mask, reached, open);
                visit(v - plane, v >= plane, mask, reached, open);
                visit(v + plane, v < mask.length - plane, mask, reached, open);
            }
        }
        return reached;
    }

    private static void visit(int v, boolean inside, boolean[] mask, boolean[] reached, Stack open) {
        if (inside && !mask[v] && !reached[v]) {
            reached[v] = true;
            open.push(v);
        }
    }

    private static final class Stack {
        private int[] items = new int[1024];
        private int size;

        void push(int item) {
            if (size == items.length) {
                items = Arrays.copyOf(items, 2 * size);
            }
            items[size++] = item;
        }

        int pop() {
            return items[--size];
        }

        boolean isEmpty() {
            return size == 0;
        }
    }
}
