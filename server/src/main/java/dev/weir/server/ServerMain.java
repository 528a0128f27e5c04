package dev.weir.server;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of the server: {@code serve} and its kin. */
@Command(
        name = "weir",
        mixinStandardHelpOptions = true,
        description = "Streams tokens from a GPT to many clients at once.",
        subcommands = {ServeCommand.class, KeyCommand.class, BenchCommand.class})
public final class ServerMain {
    private ServerMain() {}

    /** Runs a command and ends the process with its exit code: 0 done, 1 failed, 2 wrongly asked. */
    public static void main(String... arguments) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        System.exit(run(out, err, arguments));
    }

    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        CommandLine commandLine = new CommandLine(new ServerMain()).setOut(out).setErr(err);
        if (arguments.length == 0) {
            commandLine.usage(out);
            return 2;
        }
        CommandLine command = commandLine.getSubcommands().get(arguments[0]);
        if (command != null) {
            try {
                ConfigFile.apply(command, Arrays.copyOfRange(arguments, 1, arguments.length));
            } catch (IllegalArgumentException e) {
                err.println("weir: " + e.getMessage());
                return 2;
            }
        }
        return commandLine.execute(arguments);
    }
}
