package dev.weir.server;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code key revoke}: takes a key out of the file. */
@Command(
        name = "revoke",
        mixinStandardHelpOptions = true,
        description = {
            "Takes a key out of a file.",
            "Within seconds a server that runs refuses it and closes the WebSockets that it opened."
        })
final class KeyRevokeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private final KeyFileOption keys = new KeyFileOption();

    @Option(names = "--name", paramLabel = "NAME", required = true, description = "Whose key to revoke.")
    private String name = "";

    @Override
    public Integer call() {
        return keys.run(this::revoke);
    }

    private void revoke(Path file) throws IOException {
        List<ApiKey> all = new ArrayList<>(KeyFileOption.read(file));
        if (!all.removeIf(key -> key.name().equals(name))) {
            List<String> names = all.stream().map(ApiKey::name).toList();
            throw new IllegalArgumentException("name is \"" + name + "\", which " + file + " has not; it has "
                    + (names.isEmpty() ? "no keys" : String.join(", ", names)));
        }
        KeyFile.write(file, all);
        spec.commandLine().getOut().println("The key of " + name + " is revoked.");
    }
}
