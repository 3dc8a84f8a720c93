package dev.voxgrad.engine.profile;

import dev.voxgrad.engine.profile.Recording.Call;
import dev.voxgrad.engine.tensor.Profiler.Phase;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import java.util.Locale;

/**
 * A line of a profile: calls of kernels that were put together, or something else that took time.
 *
 * @param layer empty where there is none or where calls of many were put together
 * @param op name of the kernel or of what the host does; empty where many were put together
 * @param sizes of what is read and written; empty where calls differ
 * @param calls 0 for time of the host
 * @param totalMs time of all calls
 * @param medianMs time of one call
 * @param share of the recorded time, 0 to 1
 * @param gflops operations per second, in thousands of millions; a convolution counts as a direct one
 * @param gbytesPerSecond bytes that must be moved per second, in thousands of millions
 * @param intensity operations per byte; 0 where no bytes are known
 * @param roofline fraction of what the ceilings allow; above 1 where an algorithm needs fewer operations than are counted
 * @param bound {@code compute} or {@code memory}: which roof is above; empty for time of the host
 * @param liveBytes the most that the device's pool had handed out after any of the calls
 */
public record Row(
        Phase phase,
        String layer,
        String op,
        String sizes,
        int calls,
        double totalMs,
        double medianMs,
        double share,
        double gflops,
        double gbytesPerSecond,
        double intensity,
        double roofline,
        String bound,
        long liveBytes) {

    /** Time of the host. */
    static Row host(Phase phase, String activity, long ns, long wallNs) {
        return new Row(phase, "", activity, "", 0, ns / 1e6, 0, share(ns, wallNs), 0, 0, 0, 0, "", 0);
    }

    /** Calls together, at least one. */
    static Row of(String layer, String op, List<Call> calls, Ceilings ceilings, long wallNs) {
        double flops = 0;
        double bytes = 0;
        double least = 0;
        long ns = 0;
        long live = 0;
        for (Call call : calls) {
            flops += call.work().flops();
            bytes += call.work().bytes();
            least += ceilings.leastSeconds(call.work().flops(), call.work().bytes());
            ns += call.ns();
            live = Math.max(live, call.liveBytes());
        }
        double seconds = ns / 1e9;
        double intensity = bytes > 0 ? flops / bytes : 0;
        Call first = calls.getFirst();
        boolean same = calls.stream().allMatch(c -> sizes(c).equals(sizes(first)));
        return new Row(
                first.phase(),
                layer,
                op,
                same ? sizes(first) : "",
                calls.size(),
                ns / 1e6,
                median(calls.stream().mapToLong(Call::ns).sorted().toArray()) / 1e6,
                share(ns, wallNs),
                flops / seconds / 1e9,
                bytes / seconds / 1e9,
                intensity,
                least / seconds,
                intensity >= ceilings.ridge() ? "compute" : "memory",
                live);
    }

    private static double share(long ns, long wallNs) {
        return wallNs > 0 ? (double) ns / wallNs : 0;
    }

    private static double median(long[] sorted) {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2.0;
    }

    private static String sizes(Call call) {
        Shape from = call.work().from();
        Shape to = call.work().to();
        return from.equals(to) ? from.toString() : from + " to " + to;
    }

    /** The phase as people write it. */
    public String phaseName() {
        return phase.name().toLowerCase(Locale.ROOT);
    }

    /** Whether this is time of the host and not of a kernel. */
    public boolean host() {
        return calls == 0;
    }
}
