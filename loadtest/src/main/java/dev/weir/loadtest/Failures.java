package dev.weir.loadtest;

import io.vertx.core.VertxException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Words for the exceptions of the network. */
final class Failures {

    /** How Netty's epoll transport begins a message that says the rest in words. */
    private static final Pattern SYSTEM_CALL = Pattern.compile("\\w+\\(\\.\\.\\) failed with error\\(-?\\d+\\): ");

    private Failures() {}

    /** One line that says what went wrong; never empty. */
    static String describe(Throwable error) {
        @Nullable String message = error.getMessage();
        if (message == null || message.isBlank()) {
            return error.getClass().getSimpleName();
        }
        String line = message.replaceAll("\\s+", " ").strip();
        Matcher systemCall = SYSTEM_CALL.matcher(line);
        if (systemCall.lookingAt()) {
            return line.substring(systemCall.end());
        }
        return error instanceof VertxException ? line : error.getClass().getSimpleName() + ": " + line;
    }
}
