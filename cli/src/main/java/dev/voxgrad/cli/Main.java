package dev.voxgrad.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The program: {@code voxgrad COMMAND}. */
@Command(
        name = "voxgrad",
        description = "Trains and runs segmentation networks for medical volumes.",
        versionProvider = Version.class,
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:success",
            "1:the work failed: no such device, out of memory, a defect",
            "2:the command line is wrong",
            "3:a file, data set or plan cannot be used"
        },
        footerHeading = "%nExample:%n",
        footer = {"  voxgrad quickstart", "", "\"voxgrad COMMAND --help\" explains a command."},
        subcommands = {
            QuickstartCommand.class,
            DataCommand.class,
            TrainCommand.class,
            ResumeCommand.class,
            PredictCommand.class,
            EvaluateCommand.class,
            InspectCommand.class,
            GradCheckCommand.class,
            ProfileCommand.class,
            DoctorCommand.class
        })
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--stacktrace",
            scope = ScopeType.INHERIT,
            description = "On failure print where in the program it happened.")
    private boolean stacktrace;

    @Option(
            names = "--class-path",
            scope = ScopeType.INHERIT,
            paramLabel = "PATH",
            description = "Folders and jars with losses of your own, with \"${sys:path.separator}\" between them.")
    private String classPath = "";

    @Option(names = "--print-class-path", description = "Print the class path to compile a loss of your own with.")
    private boolean printClassPath;

    /** Prints the help when no command is given. */
    @Override
    public void run() {
        if (printClassPath) {
            spec.commandLine().getOut().println(System.getProperty("java.class.path"));
            return;
        }
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    /**
     * Runs a command line inside this process.
     *
     * @param out for results
     * @param err for messages
     * @return the exit code, see {@link ExitCode}
     */
    public static int run(PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine line = commandLine();
        line.setOut(out);
        line.setErr(err);
        int code = line.execute(arguments);
        out.flush();
        err.flush();
        return code;
    }

    static CommandLine commandLine() {
        CommandLine line = new CommandLine(new Main());
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(100);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        EnumWords.register(line);
        line.setParameterExceptionHandler(Main::wrongUsage);
        line.setExecutionExceptionHandler(Main::failed);
        line.setExecutionStrategy(Main::execute);
        return line;
    }

    /** Runs a command with the user's classes in reach of it. */
    private static int execute(ParseResult result) {
        Main main = (Main) result.commandSpec().root().userObject();
        try (UserClasses classes =
                UserClasses.of(main.classPath, result.commandSpec().commandLine())) {
            return new CommandLine.RunLast().execute(result);
        }
    }

    private static int wrongUsage(CommandLine.ParameterException e, String[] arguments) {
        CommandLine line = e.getCommandLine();
        line.getErr().println("voxgrad: " + e.getMessage());
        CommandLine.UnmatchedArgumentException.printSuggestions(e, line.getErr());
        line.getErr().println("Try \"" + line.getCommandSpec().qualifiedName() + " --help\".");
        return ExitCode.USAGE;
    }

    private static int failed(Exception e, CommandLine line, ParseResult result) {
        return report(e, line);
    }

    private static int report(Throwable e, CommandLine line) {
        Failure failure = Failure.of(e);
        line.getErr().println("voxgrad: " + failure.message());
        Main main = (Main) line.getCommandSpec().root().userObject();
        if (main.stacktrace) {
            e.printStackTrace(line.getErr());
        }
        return failure.exitCode();
    }

    /** The entry point of the launcher script. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        int code;
        try {
            code = run(out, err, arguments);
        } catch (Throwable e) {
            // Errors such as a full heap pass picocli's handler, which takes exceptions only.
            Failure failure = Failure.of(e);
            err.println("voxgrad: " + failure.message());
            code = failure.exitCode();
        }
        System.exit(code);
    }
}
