package dev.voxgrad.golden;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.bindings.NativeStatus;
import dev.voxgrad.bindings.ffi.VoxgradH;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/** The devices of this machine that tests run on. A kind of device that is missing is printed once with the reason. */
public final class Devices {
    private static final List<String> PRESENT = find();

    private Devices() {}

    /** Names for {@link Device#open}; the CPU is always there. */
    public static List<String> present() {
        return PRESENT;
    }

    /** Runs a check on a fresh device of each kind. */
    public static void each(Check check) throws Exception {
        for (String name : PRESENT) {
            try (Device device = open(name)) {
                check.on(device);
            }
        }
    }

    /** Opens a device with two CPU threads, so that work is really split. */
    public static Device open(String name) {
        return Device.open(name, 2, 0);
    }

    /** What to do on a device. */
    @FunctionalInterface
    public interface Check {
        /** Throws to fail the test. */
        void on(Device device) throws Exception;
    }

    /** A device may be there before its kernels are. */
    private static boolean hasKernels(String name) {
        try (Device device = open(name);
                Scope scope = device.scope()) {
            scope.zeros(Shape.scalar());
            return true;
        } catch (NativeException e) {
            if (e.status() == NativeStatus.UNSUPPORTED) {
                return false;
            }
            throw e;
        }
    }

    private static List<String> find() {
        List<String> names = new ArrayList<>(List.of("cpu"));
        NativeContext.DeviceCount cuda = NativeContext.count(VoxgradH.VG_DEVICE_CUDA());
        if (cuda.count() > 0 && hasKernels("cuda")) {
            names.add("cuda");
        } else if (cuda.count() > 0) {
            System.out.println("skipped: all tests on cuda: the library has no kernels for it yet");
        } else {
            System.out.println("skipped: all tests on cuda: " + cuda.reason());
        }
        return List.copyOf(names);
    }
}
