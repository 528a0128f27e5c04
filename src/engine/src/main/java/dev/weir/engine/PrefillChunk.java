package dev.weir.engine;

/**
 * A stretch of a prompt to compute in one piece. Immutable by contract; engine thread.
 *
 * @param slot where the sequence's cache lives
 * @param tokens the whole prompt (or, after a preemption, prompt and answer so far)
 * @param start index of the first token to compute; everything before it is in the cache
 * @param length tokens to compute
 * @param wantsLogits whether the scores after the last token are needed: true for the prompt's last chunk
 */
@SuppressWarnings("ArrayRecordComponent") // shares the request's prompt
public record PrefillChunk(int slot, int[] tokens, int start, int length, boolean wantsLogits) {
    public PrefillChunk {
        if (slot < 0 || start < 0 || length < 1 || start + length > tokens.length) {
            throw new IllegalArgumentException("chunk of " + length + " tokens from " + start + " in slot " + slot
                    + " does not fit a prompt of " + tokens.length);
        }
    }
}
