package dev.voxgrad.engine.profile;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Work;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Records a device's time from {@link #start} to {@link #stop} without a gap: at any moment it belongs to one call of a kernel, or to
 * one activity of the host. The recording's own work stops its clock. A GPU is waited for around every kernel, so that times are
 * those of kernels and not of their launches; the sum is then longer than a run without a profiler.
 */
public final class Recording implements Profiler, AutoCloseable {
    /** The activity of the host when nobody says what it does. */
    public static final String OUTSIDE = "outside kernels";

    private static final Work UNNAMED = new Work("unnamed", 0, 0, Shape.scalar(), Shape.scalar());

    /**
     * One call of a kernel.
     *
     * @param step in which it happened, from 0
     * @param startNs since the start of the recording
     * @param liveBytes handed out by the device's pool right after the call
     */
    public record Call(int step, Phase phase, String layer, Work work, long startNs, long ns, long liveBytes) {}

    /** Something the host does in a phase. */
    public record Activity(Phase phase, String name) {}

    private final Device device;
    private final boolean asynchronous;
    private final List<Call> calls = new ArrayList<>();
    private final Map<Activity, Long> hostNs = new LinkedHashMap<>();
    private final Deque<String> activities = new ArrayDeque<>();
    private Phase phase = Phase.FORWARD;
    private String layer = "";
    private Work work = UNNAMED;
    private final List<Long> stepNs = new ArrayList<>();
    private long stepBegin;
    private long ownNs; // the recording's own work, which is nobody's time
    private long begin;
    private long last; // everything before it is booked

    private Recording(Device device) {
        this.device = device;
        this.asynchronous = !device.name().equals("cpu");
        this.begin = now();
        this.last = begin;
        this.stepBegin = begin;
    }

    /** Starts to record what a device does; nobody else may be profiling it. */
    public static Recording start(Device device) {
        if (device.profiler() != Profiler.OFF) {
            throw new IllegalStateException("the device " + device.name() + " is being profiled already");
        }
        Recording recording = new Recording(device);
        device.profile(recording);
        return recording;
    }

    private long now() {
        return System.nanoTime() - ownNs;
    }

    /** Books the time since the last event for the host. */
    private void book() {
        long now = now();
        String name = activities.isEmpty() ? OUTSIDE : activities.peek();
        hostNs.merge(new Activity(phase, name), now - last, Long::sum);
        last = now;
    }

    @Override
    public void phase(Phase next, String nextLayer) {
        if (next != phase) {
            book();
            phase = next;
        }
        layer = nextLayer;
    }

    @Override
    public void layer(String next) {
        layer = next;
    }

    @Override
    public void next(Work next) {
        work = next;
    }

    @Override
    public Span span(String activity) {
        book();
        activities.push(activity);
        return () -> {
            book();
            activities.pop();
        };
    }

    @Override
    public void begins() {
        book();
    }

    @Override
    public void ends() {
        if (asynchronous) {
            device.context().synchronize();
        }
        long now = now();
        calls.add(new Call(
                stepNs.size(),
                phase,
                layer,
                work,
                last - begin,
                now - last,
                device.describe().poolLiveBytes()));
        work = UNNAMED;
        last = now;
        ownNs += now() - now;
    }

    /** The step is over; what follows is the next one. */
    public void endStep() {
        book();
        stepNs.add(last - stepBegin);
        stepBegin = last;
    }

    /** Forgets everything so far: the steps before it were to warm up. */
    public void restart() {
        calls.clear();
        hostNs.clear();
        stepNs.clear();
        begin = now();
        last = begin;
        stepBegin = begin;
    }

    /** Ends the recording; the device is as before. */
    public void stop() {
        if (device.profiler() == this) {
            book();
            device.profile(Profiler.OFF);
        }
    }

    @Override
    public void close() {
        stop();
    }

    /** All calls in their order. */
    public List<Call> calls() {
        return List.copyOf(calls);
    }

    /** The host's time by phase and activity, in nanoseconds. */
    public Map<Activity, Long> hostNs() {
        return Map.copyOf(hostNs);
    }

    /** Time of each finished step, in nanoseconds. */
    public List<Long> stepNs() {
        return List.copyOf(stepNs);
    }

    /** Recorded time: that of all calls and all activities. */
    public long wallNs() {
        return last - begin;
    }
}
