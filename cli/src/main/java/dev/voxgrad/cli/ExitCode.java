package dev.voxgrad.cli;

/** The exit codes of every command. */
final class ExitCode {
    static final int OK = 0;
    /** The work failed: no such device, out of memory, a defect. */
    static final int FAILURE = 1;
    /** The command line is wrong. */
    static final int USAGE = 2;
    /** A file, data set or plan of the user cannot be used. */
    static final int BAD_INPUT = 3;

    private ExitCode() {}
}
