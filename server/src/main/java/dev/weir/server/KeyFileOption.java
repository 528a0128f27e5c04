package dev.weir.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The option that names the key file, and what the commands of {@link KeyCommand} do with it. */
final class KeyFileOption {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--keys", paramLabel = "FILE", required = true, description = "The key file.")
    private Path file = Path.of("");

    /** Something to do with the file. */
    interface Work {
        void run(Path file) throws IOException;
    }

    /** The keys of the file. */
    static List<ApiKey> read(Path file) throws IOException {
        try {
            return KeyFile.read(file);
        } catch (NoSuchFileException e) {
            throw new IllegalArgumentException(
                    "there is no key file " + file + "; make one with: weir key create --keys FILE --name NAME", e);
        }
    }

    /** The keys of the file; none if there is no file yet. */
    static List<ApiKey> readIfThere(Path file) throws IOException {
        return Files.exists(file) ? KeyFile.read(file) : List.of();
    }

    /** Does the work, tells in one line what went wrong, and gives the command's exit code. */
    int run(Work work) {
        try {
            work.run(file);
            return 0;
        } catch (IllegalArgumentException e) {
            spec.commandLine().getErr().println("weir: " + e.getMessage());
            return 2;
        } catch (IOException e) {
            spec.commandLine().getErr().println("weir: cannot read or write " + file + ": " + e);
            return 1;
        }
    }
}
