package dev.weir.engine;

/**
 * How likely the model itself found a token that was chosen and those that it found most likely in its place: the log-softmax
 * of the logits as the model gave them, before penalties, bias, temperature and filters, as vLLM reports by default. Immutable
 * by contract; any thread.
 *
 * @param logprob natural logarithm of the chosen token's probability
 * @param topTokens the most likely tokens, most likely first, of equals the lower id first; as many as were asked for
 * @param topLogprobs their logarithms
 */
@SuppressWarnings("ArrayRecordComponent") // read once by the stream that owns it
public record TokenLogprobs(float logprob, int[] topTokens, float[] topLogprobs) {}
