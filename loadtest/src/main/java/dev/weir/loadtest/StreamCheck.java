package dev.weir.loadtest;

import org.jspecify.annotations.Nullable;

/** A check that the events of one answer keep the protocol's promises. Owner: one connection. */
sealed interface StreamCheck permits ResponsesCheck, ChunkCheck {

    /** Starts over, for the next answer. */
    void begin();

    /** Takes the next event; null when it may stand there, otherwise what is wrong with it. */
    @Nullable
    String accept(StreamEvent event);
}
