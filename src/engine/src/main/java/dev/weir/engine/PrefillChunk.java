package dev.weir.engine;

/**
 * A stretch of a prompt to compute in one piece, or the newest token of an answer with a {@link PromptLookup draft} of those
 * after it. Immutable by contract; engine thread.
 *
 * @param slot where the sequence's cache lives
 * @param tokens the whole prompt (or, after a preemption, prompt and answer so far)
 * @param start index of the first token to compute; everything before it is in the cache
 * @param length tokens to compute
 * @param scored tokens at the end after which the scores are needed: 1 in the prompt's last chunk, all in a draft
 */
@SuppressWarnings("ArrayRecordComponent") // shares the request's prompt
public record PrefillChunk(int slot, int[] tokens, int start, int length, int scored) {
    public PrefillChunk {
        if (slot < 0
                || start < 0
                || length < 1
                || start + length > tokens.length
                || (scored != 0 && scored != 1 && scored != length)) {
            throw new IllegalArgumentException("chunk of " + length + " tokens, " + scored + " of them scored, from "
                    + start + " in slot " + slot + " does not fit a prompt of " + tokens.length);
        }
    }

    /** A stretch whose last token is scored, or none. */
    public PrefillChunk(int slot, int[] tokens, int start, int length, boolean wantsLogits) {
        this(slot, tokens, start, length, wantsLogits ? 1 : 0);
    }

    /** Whether the scores after its last token are needed. */
    public boolean wantsLogits() {
        return scored > 0;
    }

    /** Whether it is a token that was chosen with guesses of those after it, rather than a part of a prompt. */
    boolean isDraft() {
        return scored > 1;
    }
}
