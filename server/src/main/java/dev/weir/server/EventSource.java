package dev.weir.server;

/** What a {@link LogReader} follows. Any thread. */
interface EventSource {
    /** The name of the response whose events they are. */
    String id();

    /** A reader has taken events. */
    void taken();

    /** A reader is gone. */
    void left(LogReader reader);
}
