package dev.voxgrad.cli;

import dev.voxgrad.bindings.NativeContext;
import dev.voxgrad.bindings.NativeLibrary;
import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.tensor.Device;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A profile with what a reader must know about it.
 *
 * @param title of the page
 * @param step what a step is: {@code step} of a training, {@code tile} of a prediction
 * @param facts about subject and machine, for people
 */
record ProfileResult(String title, String step, Map<String, String> facts, Profile profile) {
    /** With the facts of the device behind those of the subject. */
    static ProfileResult of(String title, String step, Map<String, String> subject, Device device, Profile profile) {
        NativeContext.Description d = device.describe();
        Map<String, String> facts = new LinkedHashMap<>(subject);
        facts.put("Device", device.name() + ", " + d.deviceName());
        facts.put("Instructions", d.isa() + ", " + d.threads() + (d.threads() == 1 ? " thread" : " threads"));
        facts.put("voxgrad", NativeLibrary.version());
        facts.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        return new ProfileResult(title, step, facts, profile);
    }

    /** One line for people: time of a step, share of kernels, rate and ceilings. */
    String summary() {
        double seconds = profile.wallNs() / 1e9;
        return "%d %s of %s ms (median), %.1f %% of the time in kernels, %.0f GFLOP/s; FMA peak %.0f GFLOP/s, copy %.1f GB/s"
                .formatted(
                        profile.stepNs().size(),
                        step + (profile.stepNs().size() == 1 ? "" : "s"),
                        ProfileTable.ms(profile.stepMs()),
                        100.0 * profile.kernelNs() / profile.wallNs(),
                        profile.flops() / seconds / 1e9,
                        profile.ceilings().flopsPerSecond() / 1e9,
                        profile.ceilings().bytesPerSecond() / 1e9);
    }
}
