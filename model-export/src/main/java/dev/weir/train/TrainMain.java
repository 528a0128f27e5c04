package dev.weir.train;

import dev.weir.corpus.CorpusCommand;
import dev.weir.onnx.ModelLoadException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The trainer's command line: {@code TrainMain presets|corpus|pretrain|finetune|import|export|eval ...}. Exit codes: 0 done, 1 failed, 2 asked for what cannot be
 * done, 130 stopped by Ctrl-C.
 */
@Command(
        name = "weir",
        mixinStandardHelpOptions = true,
        description = "Trains GPTs and exports them to be served.",
        subcommands = {
            PresetsCommand.class,
            CorpusCommand.class,
            PretrainCommand.class,
            FinetuneCommand.class,
            ChatTuneCommand.class,
            ImportCommand.class,
            ExportCommand.class,
            EvalCommand.class,
            TrainBenchCommand.class
        },
        synopsisSubcommandLabel = "COMMAND")
public final class TrainMain {
    private TrainMain() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs one command and returns its exit code. */
    static int run(String... args) {
        return commandLine().execute(args);
    }

    static CommandLine commandLine() {
        CommandLine commandLine = new CommandLine(new TrainMain());
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(TrainMain::refuse);
        commandLine.setExecutionExceptionHandler(TrainMain::fail);
        return commandLine;
    }

    /** A command line that makes no sense: one line, and the nearest options or commands where there are any. */
    private static int refuse(CommandLine.ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(command.getCommandSpec().qualifiedName() + ": " + e.getMessage());
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, err)) {
            err.println("see " + command.getCommandSpec().qualifiedName() + " --help");
        }
        err.flush();
        return CommandLine.ExitCode.USAGE;
    }

    /** A user's mistake is one line; anything else is ours and shows where it happened. */
    private static int fail(Exception e, CommandLine command, CommandLine.@Nullable ParseResult parsed) {
        PrintWriter err = command.getErr();
        String name = command.getCommandSpec().qualifiedName();
        String mistake = mistake(e);
        if (mistake != null) {
            err.println(name + ": " + mistake);
            err.flush();
            return CommandLine.ExitCode.USAGE;
        }
        if (e instanceof DivergedException) {
            err.println(name + ": " + e.getMessage());
        } else {
            err.println(name + ": failed, which is not your mistake:");
            e.printStackTrace(err);
        }
        err.flush();
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static @Nullable String mistake(Exception e) {
        return switch (e) {
            case UserError error -> error.getMessage();
            case IllegalArgumentException error -> error.getMessage();
            case ModelLoadException error -> error.getMessage();
            case NoSuchFileException error -> "there is no file " + error.getMessage();
            case FileAlreadyExistsException error -> "there is a file in the way at " + error.getMessage();
            case FileSystemException error -> error.getMessage();
            case IOException error -> error.getMessage();
            default -> null;
        };
    }
}
