package dev.voxgrad.bench;

import java.util.List;
import java.util.Map;

/** Something that can do the work of a problem: voxgrad, or a peer that it is compared with. */
public interface Side {
    /** Short name, for example {@code pytorch}. */
    String name();

    /** Name and version for the head of a table. */
    String version();

    /** Uses as many threads in everything that is opened from now on. */
    void threads(int count);

    /** The ways in which it can do this, for example memory layouts; the fastest one counts. Empty = not at all. */
    List<String> settings(Problem problem, Direction direction);

    /**
     * Prepares inputs and parameters.
     *
     * @throws RuntimeException when it cannot, saying why
     */
    Run open(Problem problem, Direction direction, String setting);

    /** Work that is ready to be repeated. */
    interface Run extends AutoCloseable {
        /**
         * Does the work without timing. Called once, first: parameters have their start values. Of a problem with a sample it is called
         * after {@link #milliseconds} and gives the results of that run.
         *
         * @return results by name, in the order of memory of voxgrad (channels last) or, for parameters, of PyTorch
         */
        Map<String, float[]> answer();

        /** Does the work once and returns the milliseconds of what counts. */
        double milliseconds();

        @Override
        void close();
    }
}
