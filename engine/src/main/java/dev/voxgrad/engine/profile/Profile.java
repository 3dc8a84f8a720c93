package dev.voxgrad.engine.profile;

import dev.voxgrad.engine.profile.Recording.Call;
import dev.voxgrad.engine.tensor.Profiler.Phase;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A finished recording beside the ceilings of the device. Rows of any kind add up to the recorded time, because what is outside of all
 * kernels is a row as well.
 *
 * @param calls all calls of kernels in their order
 * @param hostNs other time by phase and activity
 * @param wallNs the recorded time
 * @param stepNs time of each step; what came after the last one is in none
 */
public record Profile(
        List<Call> calls, Map<Recording.Activity, Long> hostNs, long wallNs, List<Long> stepNs, Ceilings ceilings) {
    /** How calls are put together. */
    public enum By {
        /** Phase, layer and kernel. */
        LAYER_OP,
        /** Phase and kernel. */
        OP,
        /** Phase and layer. */
        LAYER
    }

    private record Key(Phase phase, String layer, String op) {}

    /** Copies the collections. */
    public Profile {
        calls = List.copyOf(calls);
        hostNs = Map.copyOf(hostNs);
        stepNs = List.copyOf(stepNs);
    }

    /** What a stopped recording holds. */
    public static Profile of(Recording recording, Ceilings ceilings) {
        return new Profile(recording.calls(), recording.hostNs(), recording.wallNs(), recording.stepNs(), ceilings);
    }

    /** All rows, the longest time first. */
    public List<Row> rows(By by) {
        Map<Key, List<Call>> groups = new LinkedHashMap<>();
        for (Call call : calls) {
            Key key = new Key(
                    call.phase(),
                    by == By.OP ? "" : call.layer(),
                    by == By.LAYER ? "" : call.work().kernel());
            groups.computeIfAbsent(key, k -> new ArrayList<>()).add(call);
        }
        List<Row> rows = new ArrayList<>();
        groups.forEach((key, together) -> rows.add(Row.of(key.layer(), key.op(), together, ceilings, wallNs)));
        hostNs.forEach((activity, ns) -> rows.add(Row.host(activity.phase(), activity.name(), ns, wallNs)));
        rows.sort(Comparator.comparingDouble(Row::totalMs).reversed().thenComparing(Row::op));
        return List.copyOf(rows);
    }

    /** The calls of one step in their order, one row each; shares are of all recorded time. */
    public List<Row> callsOf(int step) {
        return calls.stream()
                .filter(c -> c.step() == step)
                .map(c -> Row.of(c.layer(), c.work().kernel(), List.of(c), ceilings, wallNs))
                .toList();
    }

    /** The step whose time is the median, an ordinary one; 0 if there are no steps. */
    public int medianStep() {
        return IntStream.range(0, stepNs.size())
                .boxed()
                .sorted(Comparator.comparing(stepNs::get))
                .skip(Math.max(0, stepNs.size() - 1) / 2)
                .findFirst()
                .orElse(0);
    }

    /** The median time of a step in milliseconds; all time if there are no steps. */
    public double stepMs() {
        return (stepNs.isEmpty() ? wallNs : stepNs.get(medianStep())) / 1e6;
    }

    /** Time inside kernels, in nanoseconds. */
    public long kernelNs() {
        return calls.stream().mapToLong(Call::ns).sum();
    }

    /** Operations of all calls. */
    public double flops() {
        return calls.stream().mapToDouble(c -> c.work().flops()).sum();
    }

    /** Time by phase in nanoseconds, kernels and host together, in the order of the phases. */
    public Map<Phase, Long> phases() {
        Map<Phase, Long> sums = new LinkedHashMap<>();
        for (Phase phase : Phase.values()) {
            long ns = sum(calls, Call::phase, Call::ns, phase)
                    + sum(List.copyOf(hostNs.entrySet()), e -> e.getKey().phase(), Map.Entry::getValue, phase);
            if (ns > 0) {
                sums.put(phase, ns);
            }
        }
        return sums;
    }

    private static <T> long sum(List<T> items, Function<T, Phase> phaseOf, Function<T, Long> ns, Phase phase) {
        return items.stream()
                .filter(i -> phaseOf.apply(i) == phase)
                .mapToLong(ns::apply)
                .sum();
    }

    /** The most that the pool had handed out after any call. */
    public long peakLiveBytes() {
        return calls.stream().mapToLong(Call::liveBytes).max().orElse(0);
    }
}
