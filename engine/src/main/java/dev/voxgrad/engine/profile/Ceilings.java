package dev.voxgrad.engine.profile;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.tensor.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a device can do at most: the two roofs of the roofline model.
 *
 * @param flopsPerSecond multiply-adds in registers, two operations each
 * @param bytesPerSecond a copy that no cache holds, bytes read and written
 */
public record Ceilings(double flopsPerSecond, double bytesPerSecond) {
    /** Both must be positive. */
    public Ceilings {
        if (!(flopsPerSecond > 0 && bytesPerSecond > 0)) {
            throw new IllegalArgumentException(
                    "ceilings: " + flopsPerSecond + " operations and " + bytesPerSecond + " bytes per second");
        }
    }

    /** Measures them with the threads of the device, in about a second. */
    public static Ceilings measure(Device device) {
        NativeContext context = device.context();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment flops = arena.allocate(ValueLayout.JAVA_DOUBLE);
            MemorySegment bytes = arena.allocate(ValueLayout.JAVA_DOUBLE);
            context.check(VoxgradH.vg_measure_peak(context.handle(), flops, bytes));
            return new Ceilings(flops.get(ValueLayout.JAVA_DOUBLE, 0), bytes.get(ValueLayout.JAVA_DOUBLE, 0));
        }
    }

    /** The higher roofs of two measurements: what disturbs one makes it lower. */
    public Ceilings best(Ceilings other) {
        return new Ceilings(
                Math.max(flopsPerSecond, other.flopsPerSecond), Math.max(bytesPerSecond, other.bytesPerSecond));
    }

    /** The time that neither roof lets a kernel stay below. */
    public double leastSeconds(double flops, double bytes) {
        return Math.max(flops / flopsPerSecond, bytes / bytesPerSecond);
    }

    /** Operations per byte where the roofs meet: kernels with fewer are bound by memory. */
    public double ridge() {
        return flopsPerSecond / bytesPerSecond;
    }
}
