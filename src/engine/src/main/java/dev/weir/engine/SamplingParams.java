package dev.weir.engine;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;

/**
 * How the tokens of one sequence are chosen and when it ends. Immutable; any thread.
 *
 * <p>Names and ranges are those of the OpenAI API and vLLM. A temperature of 0 is greedy decoding and makes
 * {@code topK}, {@code topP}, {@code minP} and {@code seed} irrelevant.
 *
 * @param temperature softmax temperature, 0 to 2; 0 is greedy
 * @param topK only the k most likely tokens are considered; 0 means all
 * @param topP nucleus sampling (Holtzman et al., 2020), in (0, 1]; 1 means all
 * @param minP tokens less likely than this share of the most likely one are dropped, in [0, 1)
 * @param seed seed of the sequence's own random numbers; empty takes a fresh one
 * @param maxTokens tokens to generate at most, at least 1; cut to what the context leaves
 * @param minTokens tokens to generate before a stop token may be chosen
 * @param stopTokenIds tokens that end the sequence in addition to the model's own end-of-sequence tokens
 * @param ignoreEos whether the model's own end-of-sequence tokens are generated like any other
 */
public record SamplingParams(
        float temperature,
        int topK,
        float topP,
        float minP,
        OptionalLong seed,
        int maxTokens,
        int minTokens,
        List<Integer> stopTokenIds,
        boolean ignoreEos) {

    public SamplingParams {
        check(temperature >= 0 && temperature <= 2, "temperature", temperature, "from 0 to 2");
        check(topK >= 0, "top_k", topK, "0 (all) or more");
        check(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1");
        check(minP >= 0 && minP < 1, "min_p", minP, "at least 0 and below 1");
        check(maxTokens >= 1, "max_tokens", maxTokens, "1 or more");
        check(minTokens >= 0 && minTokens <= maxTokens, "min_tokens", minTokens, "from 0 to max_tokens");
        stopTokenIds = List.copyOf(stopTokenIds);
    }

    /** Greedy decoding of {@code maxTokens} tokens, ended early only by the model's end-of-sequence tokens. */
    public static SamplingParams greedy(int maxTokens) {
        return new SamplingParams(0, 0, 1, 0, OptionalLong.empty(), maxTokens, 0, List.of(), false);
    }

    /** These parameters with another seed. */
    public SamplingParams withSeed(long newSeed) {
        return new SamplingParams(
                temperature, topK, topP, minP, OptionalLong.of(newSeed), maxTokens, minTokens, stopTokenIds, ignoreEos);
    }

    /** These parameters with another temperature. */
    public SamplingParams withTemperature(float newTemperature) {
        return new SamplingParams(
                newTemperature, topK, topP, minP, seed, maxTokens, minTokens, stopTokenIds, ignoreEos);
    }

    /** These parameters with the model's end-of-sequence tokens ignored. */
    public SamplingParams ignoringEos() {
        return new SamplingParams(temperature, topK, topP, minP, seed, maxTokens, minTokens, stopTokenIds, true);
    }

    boolean isGreedy() {
        return temperature == 0;
    }

    int[] stopTokens() {
        return stopTokenIds.stream().mapToInt(Integer::intValue).toArray();
    }

    private static void check(boolean valid, String name, Number value, String range) {
        if (!valid) {
            throw new IllegalArgumentException(name + " is " + value + " but must be " + range);
        }
    }

    static boolean contains(int[] tokens, int token) {
        return Arrays.stream(tokens).anyMatch(candidate -> candidate == token);
    }
}
