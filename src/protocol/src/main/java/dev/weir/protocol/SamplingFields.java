package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The sampling fields of a request as they were sent; null means not sent, so that the server's and the model's defaults
 * apply. Immutable; any thread.
 *
 * @param temperature 0 (greedy) to 2
 * @param topP above 0 and at most 1
 * @param topK most likely tokens considered, 0 for all
 * @param minP least share of the most likely token's probability, 0 up to but not 1
 * @param seed seed of the random numbers
 * @param maxTokens tokens to generate at most: {@code max_tokens}, {@code max_completion_tokens} or
 *     {@code max_output_tokens}
 * @param minTokens tokens before a stop token may be chosen
 * @param stop strings that end the text, at most {@value #MAX_STOP_STRINGS}; they are not part of it
 * @param stopTokenIds tokens that end the text
 * @param ignoreEos whether the model's end-of-sequence tokens are generated like any other
 */
public record SamplingFields(
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Integer topK,
        @Nullable Double minP,
        @Nullable Long seed,
        @Nullable Integer maxTokens,
        int minTokens,
        List<String> stop,
        List<Integer> stopTokenIds,
        boolean ignoreEos) {
    /** Stop strings that the OpenAI API allows. */
    public static final int MAX_STOP_STRINGS = 4;

    /** Nothing sent. */
    public static final SamplingFields NONE =
            new SamplingFields(null, null, null, null, null, null, 0, List.of(), List.of(), false);

    private static final int MAX_STOP_LENGTH = 512;
    private static final int MAX_STOP_TOKENS = 64;

    public SamplingFields {
        stop = List.copyOf(stop);
        stopTokenIds = List.copyOf(stopTokenIds);
    }

    /** Reads them from a request; {@code maxNames} are the names of the length limit, the one to prefer first. */
    static SamplingFields read(Fields fields, String... maxNames) {
        Integer maxTokens = null;
        for (String name : maxNames) {
            Integer value = fields.smallInteger(name, 1, "of 1 or more");
            maxTokens = maxTokens == null ? value : maxTokens;
        }
        Integer topK = fields.smallInteger("top_k", -1, "of 1 or more, or 0 for all");
        Integer minTokens = fields.smallInteger("min_tokens", 0, "of 0 or more");
        if (minTokens != null && maxTokens != null && minTokens > maxTokens) {
            throw ProtocolException.invalid(
                    "integer_above_max_value",
                    "min_tokens",
                    "min_tokens is " + minTokens + " but must not exceed " + maxNames[0] + ", which is " + maxTokens);
        }
        return new SamplingFields(
                fields.decimal("temperature", 0, 2, "from 0 to 2"),
                fields.decimal("top_p", Double.MIN_NORMAL, 1, "above 0 and at most 1"),
                topK == null ? null : Integer.valueOf(Math.max(topK, 0)),
                fields.decimal("min_p", 0, Math.nextDown(1f), "at least 0 and below 1"),
                fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE, "of 64 bits"),
                maxTokens,
                minTokens == null ? 0 : minTokens,
                fields.strings("stop", MAX_STOP_STRINGS, MAX_STOP_LENGTH),
                fields.integers("stop_token_ids", MAX_STOP_TOKENS),
                fields.flag("ignore_eos", false));
    }

    /** These fields with another length limit. */
    public SamplingFields withMaxTokens(int value) {
        return new SamplingFields(temperature, topP, topK, minP, seed, value, minTokens, stop, stopTokenIds, ignoreEos);
    }

    /** These fields with another temperature. */
    public SamplingFields withTemperature(double value) {
        return new SamplingFields(value, topP, topK, minP, seed, maxTokens, minTokens, stop, stopTokenIds, ignoreEos);
    }

    /** These fields with a seed. */
    public SamplingFields withSeed(long value) {
        return new SamplingFields(
                temperature, topP, topK, minP, value, maxTokens, minTokens, stop, stopTokenIds, ignoreEos);
    }

    /** These fields with stop strings. */
    public SamplingFields withStop(String... strings) {
        return new SamplingFields(
                temperature, topP, topK, minP, seed, maxTokens, minTokens, List.of(strings), stopTokenIds, ignoreEos);
    }

    /** These fields with the model's end-of-sequence tokens ignored. */
    public SamplingFields ignoringEos() {
        return new SamplingFields(temperature, topP, topK, minP, seed, maxTokens, minTokens, stop, stopTokenIds, true);
    }
}
