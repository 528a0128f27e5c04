package dev.weir.server;

import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code key create}: makes a key, prints it once and keeps its hash. */
@Command(
        name = "create",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Makes an API key and prints it, this once: the file keeps only its SHA-256.",
            "The file is made if it is not there."
        })
final class KeyCreateCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private final KeyFileOption keys = new KeyFileOption();

    @Option(names = "--name", paramLabel = "NAME", required = true, description = "What its holder is called.")
    private String name = "";

    @Option(
            names = "--tenant",
            paramLabel = "T",
            description = "Whose share of the model its requests use; keys may have one together. Default: its name.")
    private @Nullable String tenant;

    @Option(
            names = "--requests-per-minute",
            paramLabel = "N",
            description = "Requests that may begin in a minute. Default: any.")
    private int requestsPerMinute;

    @Option(
            names = "--tokens-per-minute",
            paramLabel = "N",
            description = "Tokens in a minute, of prompts and of answers at their greatest length; what an answer did"
                    + " not use is given back when it ends. Default: any.")
    private int tokensPerMinute;

    @Option(
            names = "--concurrent",
            paramLabel = "N",
            description = "Requests that may be under way at once. Default: any.")
    private int concurrent;

    @Option(
            names = "--model",
            paramLabel = "M",
            description = "A model that it may use; may be repeated. Default: all.")
    private List<String> models = List.of();

    @Option(
            names = "--origin",
            paramLabel = "O",
            description = "An origin, such as https://example.org, whose pages may use it; may be repeated."
                    + " Default: all. Programs that are no browser name no origin and are not held to this.")
    private List<String> origins = List.of();

    @Option(
            names = "--expires",
            paramLabel = "DATE",
            description = "The last day on which it is valid, such as 2027-01-31, in UTC. Default: for good.")
    private @Nullable LocalDate expires;

    @Override
    public Integer call() {
        return keys.run(this::create);
    }

    private void create(Path file) throws IOException {
        if (expires != null && expires.isBefore(LocalDate.now(ZoneOffset.UTC))) {
            throw new IllegalArgumentException(
                    "expires is " + expires + ", which is past; choose today or a later day");
        }
        List<ApiKey> all = new ArrayList<>(KeyFileOption.readIfThere(file));
        if (all.stream().anyMatch(key -> key.name().equals(name))) {
            throw new IllegalArgumentException("name is \"" + name + "\", which " + file
                    + " has already; choose another, or revoke that one first");
        }
        String secret = Secret.next();
        all.add(new ApiKey(
                name,
                HexFormat.of().formatHex(Secret.hash(secret)),
                tenant,
                new ApiKey.Limits(requestsPerMinute, tokensPerMinute, concurrent),
                models,
                origins,
                expires));
        KeyFile.write(file, all);
        spec.commandLine().getOut().println(secret);
        spec.commandLine()
                .getErr()
                .println("This is the key of " + name + ". It is shown this once; " + file + " keeps only its hash.");
    }
}
