package dev.weir.server;

import dev.weir.protocol.ApiError;

/**
 * What was asked for may be had later: a key has used up its share for now, there is no room, or the server stops. Says what to
 * answer. Carries no stack trace: nothing is wrong here.
 */
final class RetryLaterException extends RuntimeException {
    /** By then a server that stops has most likely been replaced, or its clients are sent to another. */
    private static final int RESTART_SECONDS = 5;

    private final transient ApiError error;
    private final long retryAfterSeconds;

    private RetryLaterException(ApiError error, long retryAfterSeconds) {
        super(error.message(), null, false, false);
        this.error = error;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /** Refuses with 429; {@code type} is the kind of thing that is used up, as OpenAI has it: requests or tokens. */
    static RetryLaterException overLimit(String type, String message, long retryAfterSeconds) {
        return new RetryLaterException(
                new ApiError(429, type, "rate_limit_exceeded", null, message), retryAfterSeconds);
    }

    /** Refuses with 429: there is no room just now. */
    static RetryLaterException overloaded(String message, long retryAfterSeconds) {
        return new RetryLaterException(ApiError.overloaded(message), retryAfterSeconds);
    }

    /** Refuses with 503. */
    static RetryLaterException stopping() {
        return new RetryLaterException(
                ApiError.unavailable("stopping", "the server is stopping; connect again in a moment"), RESTART_SECONDS);
    }

    ApiError error() {
        return error;
    }

    /** When to try again; 0 if that does not help. */
    long retryAfterSeconds() {
        return retryAfterSeconds;
    }
}
