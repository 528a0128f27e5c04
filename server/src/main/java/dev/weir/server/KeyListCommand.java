package dev.weir.server;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code key list}: what is known of each key. */
@Command(
        name = "list",
        mixinStandardHelpOptions = true,
        description =
                "Lists the keys of a file with what they may do; - is no limit. The keys themselves are not known.")
final class KeyListCommand implements Callable<Integer> {
    private static final String ROW = "%-20s %-20s %12s %12s %10s %-12s %-20s %s%n";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Mixin
    private final KeyFileOption keys = new KeyFileOption();

    @Override
    public Integer call() {
        return keys.run(this::list);
    }

    private void list(Path file) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        List<ApiKey> all = KeyFileOption.read(file);
        out.printf(
                Locale.ROOT,
                ROW,
                "NAME",
                "TENANT",
                "REQUESTS/MIN",
                "TOKENS/MIN",
                "CONCURRENT",
                "LAST DAY",
                "MODELS",
                "ORIGINS");
        for (ApiKey key : all) {
            out.printf(
                    Locale.ROOT,
                    ROW,
                    key.name(),
                    key.owner(),
                    shown(key.limits().requestsPerMinute()),
                    shown(key.limits().tokensPerMinute()),
                    shown(key.limits().concurrent()),
                    key.expires() == null ? "-" : key.expires().toString(),
                    shown(key.models()),
                    shown(key.origins()));
        }
        out.flush();
    }

    private static String shown(int limit) {
        return limit == 0 ? "-" : Integer.toString(limit);
    }

    private static String shown(List<String> values) {
        return values.isEmpty() ? "-" : String.join(",", values);
    }
}
