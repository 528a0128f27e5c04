package dev.weir.server;

import dev.weir.engine.ContextLengthExceededException;
import dev.weir.engine.DeadlineExceededException;
import dev.weir.engine.EngineFailedException;
import dev.weir.engine.NoTokenAllowedException;
import dev.weir.engine.OverloadedException;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;

/** What clients are told of the exceptions that end a {@link Turn}. Any thread. */
final class Faults {
    private Faults() {}

    /** The error as the API words it; a fault of the server's own is logged. */
    static ApiError error(Throwable cause, Ask ask) {
        String reason = String.valueOf(cause.getMessage());
        String field = ask.prompts().getFirst().field();
        return switch (cause) {
            case ProtocolException e -> e.error();
            case RetryLaterException e -> e.error();
            case OverloadedException _ -> ApiError.overloaded(reason);
            case ContextLengthExceededException _ -> ApiError.contextLengthExceeded(field, reason + "; shorten it");
            case DeadlineExceededException _ -> ApiError.deadlineExceeded(reason + "; allow more, or try again later");
            case NoTokenAllowedException _ -> ApiError.invalid("invalid_value", null, reason);
            case IllegalArgumentException _ -> ApiError.invalid("invalid_value", field, reason);
            case EngineFailedException _ -> ApiError.internal(reason);
            default -> {
                Logs.SERVER.error("request {} failed", ask.id(), cause);
                yield ApiError.internal("the server failed; its log says why");
            }
        };
    }

    /** The error of a store that did not do as it was asked. */
    static ApiError ofStore(Throwable cause) {
        if (cause instanceof ProtocolException e) {
            return e.error();
        }
        Logs.SERVER.error("the store of responses failed", cause);
        return ApiError.internal("the store of responses failed; the server's log says why");
    }

    /** When to try again; 0 if that does not help. */
    static long retryAfterSeconds(Throwable cause) {
        return switch (cause) {
            case OverloadedException e -> e.retryAfter().toSeconds();
            case RetryLaterException e -> e.retryAfterSeconds();
            default -> 0;
        };
    }
}
