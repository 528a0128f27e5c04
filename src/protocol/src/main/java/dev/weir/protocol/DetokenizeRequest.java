package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * {@code POST /detokenize} in vLLM's shape. Immutable by contract; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param tokens token ids to turn into text, possibly none
 */
@SuppressWarnings("ArrayRecordComponent") // read once, never compared
public record DetokenizeRequest(@Nullable String model, int[] tokens) {}
