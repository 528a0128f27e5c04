package dev.weir.server;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code key}: makes, lists and revokes API keys. */
@Command(
        name = "key",
        mixinStandardHelpOptions = true,
        description = {
            "Makes, lists and revokes the API keys of a key file, which ./weir serve --api-keys FILE asks callers for.",
            "A server that runs sees a change of the file within seconds."
        },
        subcommands = {KeyCreateCommand.class, KeyListCommand.class, KeyRevokeCommand.class})
final class KeyCommand implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}
