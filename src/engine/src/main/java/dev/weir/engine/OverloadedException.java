package dev.weir.engine;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The waiting queue is full: a refusal made at once, without touching any running sequence. The ask may be repeated. */
public final class OverloadedException extends RuntimeException {
    private final transient Duration retryAfter;

    OverloadedException(int waiting, int waitingTokens, Duration retryAfter) {
        super(waiting + " requests with " + waitingTokens + " prompt tokens are already waiting; try again in "
                + retryAfter.toSeconds() + " s");
        this.retryAfter = retryAfter;
    }

    /** When a place is likely to be free, from the rate at which sequences have lately finished; at least 1 s. */
    public Duration retryAfter() {
        return retryAfter;
    }

    /** That of two which promises a place sooner, this one if both do. */
    OverloadedException orSooner(@Nullable OverloadedException other) {
        return other != null && other.retryAfter.compareTo(retryAfter) < 0 ? other : this;
    }
}
