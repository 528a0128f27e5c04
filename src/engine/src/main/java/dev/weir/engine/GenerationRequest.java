package dev.weir.engine;

/**
 * One ask for a generation: prompt tokens in, tokens out. Immutable by contract (the prompt array is not copied and must
 * not be changed); any thread.
 *
 * @param id the caller's name for it, used in errors and events
 * @param promptTokens token ids, at least one, each within the vocabulary
 * @param sampling how tokens are chosen and when the sequence ends
 */
@SuppressWarnings("ArrayRecordComponent") // a prompt is thousands of ints, read and never compared
public record GenerationRequest(String id, int[] promptTokens, SamplingParams sampling) {
    public GenerationRequest {
        if (promptTokens.length == 0) {
            throw new IllegalArgumentException("the prompt is empty but must hold at least one token");
        }
    }
}
