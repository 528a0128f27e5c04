package dev.weir.protocol;

import java.util.Locale;

/** Where a response or its message stands. */
public enum ResponseStatus {
    QUEUED,
    IN_PROGRESS,
    COMPLETED,
    /** Ended by its length limit. */
    INCOMPLETE,
    /** Ended by a fault of the server. */
    FAILED,
    /** Ended by the client. */
    CANCELLED;

    private final String wire = name().toLowerCase(Locale.ROOT);

    /** As the API spells it. */
    String wire() {
        return wire;
    }

    static ResponseStatus of(String wire) {
        return valueOf(wire.toUpperCase(Locale.ROOT));
    }
}
