package dev.weir.train;

import java.io.Serial;

/** A mistake in what the user asked for: shown as one line that names the field, the value and the remedy. */
public final class UserError extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    public UserError(String message) {
        super(message);
    }

    public UserError(String message, Throwable cause) {
        super(message, cause);
    }
}
