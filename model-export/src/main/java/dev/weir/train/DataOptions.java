package dev.weir.train;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say what to train on and where its tokens are kept. */
final class DataOptions {
    @Option(
            names = "--data",
            paramLabel = "FILE[:WEIGHT]",
            required = true,
            description =
                    "UTF-8 text to train on, or JSON lines if the name ends in .jsonl; may be given several times. "
                            + "Blocks are drawn from each file by its weight, or by its size where none has a weight. If a file "
                            + "of that whole name exists, colon and number belong to its name: add :1 to weight it.")
    private List<String> data = List.of();

    @Option(
            names = "--text-key",
            paramLabel = "KEY",
            defaultValue = "text",
            description = "What JSON lines have their text under (default: ${DEFAULT-VALUE}).")
    private String textKey = "text";

    @Option(
            names = "--held-out",
            paramLabel = "SHARE",
            defaultValue = "0.1",
            description = "Share of each file, from its end, to validate on (default: ${DEFAULT-VALUE}).")
    private double heldOut;

    @Option(
            names = "--token-cache",
            paramLabel = "DIR",
            description = "Where the tokens of the files are kept, for this run and others (default: tokens in --out).")
    private @Nullable Path tokenCache;

    /** Looks through the files. */
    TrainingData read() throws IOException {
        return TrainingData.read(data, textKey, heldOut);
    }

    double heldOut() {
        return heldOut;
    }

    /** Where a run keeps the tokens. */
    TokenCache tokenCache(Path run, int threads, PrintStream console) {
        Path folder = tokenCache == null ? run.resolve("tokens") : tokenCache;
        return new TokenCache(folder, () -> freeBytes(folder), threads, console);
    }

    private static long freeBytes(Path folder) {
        try {
            return ExportRoom.usableSpace(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
