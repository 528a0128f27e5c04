package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/** What a client sends over the WebSocket. Immutable; any thread. */
public sealed interface ClientEvent {
    /** The client's own name for this event, given back in an {@code error} event that it causes; may be null. */
    @Nullable
    String eventId();

    /** The lane that the event belongs to; null is the socket's default lane. */
    @Nullable
    String streamId();

    /** Asks for a response, after those asked for earlier in the same lane. */
    record Create(@Nullable String eventId, @Nullable String streamId, ResponseRequest request) implements ClientEvent {
        /** An ask in a lane. */
        public static Create of(@Nullable String streamId, ResponseRequest request) {
            return new Create(null, streamId, request);
        }
    }

    /**
     * Ends a response early.
     *
     * @param responseId the response to end, whichever lane or connection it was asked for in; null means the one in progress
     *     in the lane
     */
    record Cancel(
            @Nullable String eventId,
            @Nullable String streamId,
            @Nullable String responseId) implements ClientEvent {}

    /**
     * Asks for the rest of a response whose connection was lost, in the lane named here, after what was asked for earlier
     * there.
     *
     * @param startingAfter number of the last event that arrived; -1 asks for all events
     */
    record Resume(@Nullable String eventId, @Nullable String streamId, String responseId, int startingAfter)
            implements ClientEvent {}

    /**
     * Asks that a response take in more while it is written.
     *
     * @param input what, as JSON
     */
    record Steer(@Nullable String eventId, @Nullable String streamId, String responseId, String input)
            implements ClientEvent {}
}
