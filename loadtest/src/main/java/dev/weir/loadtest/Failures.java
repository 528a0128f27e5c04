package dev.weir.loadtest;

import io.vertx.core.VertxException;
import org.jspecify.annotations.Nullable;

/** Words for the exceptions of the network. */
final class Failures {

    private Failures() {}

    /** One line that says what went wrong; never empty. */
    static String describe(Throwable error) {
        @Nullable String message = error.getMessage();
        if (message == null || message.isBlank()) {
            return error.getClass().getSimpleName();
        }
        String line = message.replaceAll("\\s+", " ").strip();
        return error instanceof VertxException ? line : error.getClass().getSimpleName() + ": " + line;
    }
}
