package dev.weir.engine;

import java.time.Duration;

/**
 * A request cannot be answered within the time that it gave, so nothing more is computed for it. Seen as soon as what is
 * left to do takes longer than what is left of the time, which may be before the first token. The ask may be repeated.
 */
public final class DeadlineExceededException extends RuntimeException {
    DeadlineExceededException(Duration timeLimit, int generatedTokens) {
        super("the answer cannot be complete within its time limit of " + timeLimit.toMillis() + " ms; "
                + (generatedTokens == 0 ? "no token was" : generatedTokens + " tokens were")
                + " generated");
    }
}
