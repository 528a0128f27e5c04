package dev.weir.protocol;

/** The prompt of a completion. Immutable by contract; any thread. */
public sealed interface Prompt {
    /** A prompt as text, not empty. */
    record Text(String text) implements Prompt {}

    /** A prompt as token ids, at least one, each 0 or more. */
    @SuppressWarnings("ArrayRecordComponent") // thousands of ints, read once and never compared
    record Tokens(int[] ids) implements Prompt {}
}
