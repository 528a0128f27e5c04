package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/** A message that cannot be served as it stands; says what to answer. Carries no stack trace: it is the caller's fault. */
public final class ProtocolException extends RuntimeException {
    private final transient ApiError error;

    public ProtocolException(ApiError error) {
        super(error.message(), null, false, false);
        this.error = error;
    }

    static ProtocolException invalid(@Nullable String code, @Nullable String param, String message) {
        return new ProtocolException(ApiError.invalid(code, param, message));
    }

    /** What to answer. */
    public ApiError error() {
        return error;
    }
}
