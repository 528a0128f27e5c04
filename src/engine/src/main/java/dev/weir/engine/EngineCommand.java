package dev.weir.engine;

/** What other threads ask of the engine thread. Immutable; applied in order between two steps. */
sealed interface EngineCommand {
    /** Take a new sequence into the queue. */
    record Submit(Sequence sequence) implements EngineCommand {}

    /** Forget a sequence and free its slot. */
    record Cancel(Sequence sequence) implements EngineCommand {}

    /** The sequence's reader has room again. */
    record Demand(Sequence sequence) implements EngineCommand {}

    /** Nobody reads a sequence any more, or somebody does again. */
    record Away(Sequence sequence, boolean isAway) implements EngineCommand {}

    /** End the loop. */
    record Stop() implements EngineCommand {}
}
