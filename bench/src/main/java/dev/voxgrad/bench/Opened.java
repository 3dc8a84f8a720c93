package dev.voxgrad.bench;

import java.util.Map;
import java.util.OptionalDouble;

/**
 * One side's work on a problem: its answer is known, its code is warm, it is ready to be timed.
 *
 * @param mb growth of the resident memory, see {@link ResidentMemory}
 * @param first milliseconds of a run so long that it counts although it was the first; empty where runs are short
 */
record Opened(
        Side side,
        Problem problem,
        Direction direction,
        String setting,
        Side.Run run,
        Map<String, float[]> answer,
        double mb,
        OptionalDouble first)
        implements AutoCloseable {
    /** Runs before any is timed, fewer where one takes seconds; memory is measured in them. */
    private static final int WARM_UP = 3;

    private static final double WARM_UP_MS = 2000;

    /** A run that takes longer is timed once, directly after it gave the answer, and not in turn with the others. */
    private static final double ONCE_MS = 20_000;

    /** Sets a side up and gets its answer. Of a problem with a sample the first run is timed and gives the answer: it is minutes long. */
    static Opened of(Side side, Problem problem, Direction direction, String setting) {
        double before = ResidentMemory.currentMb();
        Side.Run run = side.open(problem, direction, setting);
        try {
            ResidentMemory.resetPeak();
            if (problem.sample().isPresent()) {
                double ms = Pairing.alone(run);
                double mb = ResidentMemory.growthMb(before);
                return new Opened(side, problem, direction, setting, run, run.answer(), mb, OptionalDouble.of(ms));
            }
            Map<String, float[]> answer = run.answer();
            ResidentMemory.resetPeak();
            double spent = 0;
            double last = 0;
            for (int i = 0; i < WARM_UP && spent < WARM_UP_MS; i++) {
                last = run.milliseconds();
                spent += last;
            }
            OptionalDouble first = last > ONCE_MS ? OptionalDouble.of(last) : OptionalDouble.empty();
            double mb = ResidentMemory.growthMb(before);
            return new Opened(side, problem, direction, setting, run, answer, mb, first);
        } catch (RuntimeException e) {
            run.close();
            throw e;
        }
    }

    @Override
    public void close() {
        run.close();
    }
}
