package dev.weir.server;

import dev.weir.protocol.ApiError;

/** A key has used up its share for now; says what to answer. Carries no stack trace: it is the caller's doing. */
final class RateLimitException extends RuntimeException {
    private final transient ApiError error;
    private final long retryAfterSeconds;

    /** Refuses with 429; {@code type} is the kind of thing that is used up, as OpenAI has it: requests or tokens. */
    RateLimitException(String type, String message, long retryAfterSeconds) {
        super(message, null, false, false);
        error = new ApiError(429, type, "rate_limit_exceeded", null, message);
        this.retryAfterSeconds = retryAfterSeconds;
    }

    ApiError error() {
        return error;
    }

    /** When to try again; 0 if that does not help. */
    long retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
