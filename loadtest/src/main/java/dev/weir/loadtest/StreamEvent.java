package dev.weir.loadtest;

import org.jspecify.annotations.Nullable;

/**
 * What one event of a stream says, as far as a load tester cares. Owner: the connection that reads it; one instance is
 * refilled for each event, so nothing may be kept from it. The text itself is not kept either: three numbers stand for
 * it ({@link TextFingerprint}).
 */
final class StreamEvent {

    /** What the event means for the state of the answer. */
    enum Kind {
        QUEUED,
        CREATED,
        IN_PROGRESS,
        ITEM_ADDED,
        PART_ADDED,
        /** New text of the answer. */
        TEXT_DELTA,
        /** New text that is not part of the answer's text: reasoning, arguments of a call. */
        OTHER_DELTA,
        TEXT_DONE,
        PART_DONE,
        ITEM_DONE,
        COMPLETED,
        INCOMPLETE,
        FAILED,
        ERROR,
        /** One chunk of chat or completions, with or without text. */
        CHUNK,
        /** A type this client does not know, which a newer server may send. */
        UNKNOWN
    }

    Kind kind = Kind.UNKNOWN;
    String type = "";
    /** -1 when the event has none. */
    long sequenceNumber;
    /** Tokens of the whole request by the server's count; -1 when the event does not say. */
    int inputTokens;

    int outputTokens;
    /** HTTP-like status of an error event; 0 when it has none. */
    int status;

    @Nullable
    String finishReason;

    @Nullable
    String errorCode;

    @Nullable
    String errorMessage;

    final TextFingerprint text = new TextFingerprint();

    void clear() {
        kind = Kind.UNKNOWN;
        type = "";
        sequenceNumber = -1;
        inputTokens = -1;
        outputTokens = -1;
        status = 0;
        finishReason = null;
        errorCode = null;
        errorMessage = null;
        text.clear();
    }
}
