package dev.weir.engine;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How the tokens of one sequence are chosen and when it ends. Immutable; any thread. Made by a {@link Builder}.
 *
 * <p>Names and ranges are those of the OpenAI API and vLLM. A temperature of 0 is greedy decoding and makes
 * {@code topK}, {@code topP}, {@code minP} and {@code seed} irrelevant.
 *
 * @param temperature softmax temperature, 0 to 2; 0 is greedy
 * @param topK only the k most likely tokens are considered; 0 means all
 * @param topP nucleus sampling (Holtzman et al., 2020), in (0, 1]; 1 means all
 * @param minP tokens less likely than this share of the most likely one are dropped, in [0, 1)
 * @param frequencyPenalty taken from a token's logit once for each time that it was generated, -2 to 2
 * @param presencePenalty taken from the logit of each token that was generated, -2 to 2
 * @param repetitionPenalty divides the positive logits of tokens of prompt and answer and multiplies the negative ones (CTRL,
 *     Keskar et al., 2019), above 0; 1 does nothing
 * @param logitBias added to the logits of single tokens, each -100 to 100
 * @param badWords token sequences of which the last token is not chosen when the answer ends with those before it
 * @param allowedTokenIds the only tokens that may be chosen; empty allows all
 * @param seed seed of the sequence's own random numbers; empty takes a fresh one
 * @param maxTokens tokens to generate at most, at least 1; cut to what the context leaves
 * @param minTokens tokens to generate before a stop token may be chosen
 * @param stopTokenIds tokens that end the sequence in addition to the model's own end-of-sequence tokens
 * @param ignoreEos whether the model's own end-of-sequence tokens are generated like any other
 * @param logprobs how many of the most likely tokens are told beside each chosen one, 0 to 20; empty tells nothing
 */
public record SamplingParams(
        float temperature,
        int topK,
        float topP,
        float minP,
        float frequencyPenalty,
        float presencePenalty,
        float repetitionPenalty,
        Map<Integer, Float> logitBias,
        List<List<Integer>> badWords,
        List<Integer> allowedTokenIds,
        OptionalLong seed,
        int maxTokens,
        int minTokens,
        List<Integer> stopTokenIds,
        boolean ignoreEos,
        OptionalInt logprobs) {

    public SamplingParams {
        check(temperature >= 0 && temperature <= 2, "temperature", temperature, "from 0 to 2");
        check(topK >= 0, "top_k", topK, "0 (all) or more");
        check(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1");
        check(minP >= 0 && minP < 1, "min_p", minP, "at least 0 and below 1");
        check(Math.abs(frequencyPenalty) <= 2, "frequency_penalty", frequencyPenalty, "from -2 to 2");
        check(Math.abs(presencePenalty) <= 2, "presence_penalty", presencePenalty, "from -2 to 2");
        check(
                repetitionPenalty > 0 && repetitionPenalty < Float.POSITIVE_INFINITY,
                "repetition_penalty",
                repetitionPenalty,
                "above 0");
        logitBias.forEach((token, bias) -> check(Math.abs(bias) <= 100, "logit_bias", bias, "from -100 to 100"));
        check(maxTokens >= 1, "max_tokens", maxTokens, "1 or more");
        check(minTokens >= 0 && minTokens <= maxTokens, "min_tokens", minTokens, "from 0 to max_tokens");
        check(logprobs.orElse(0) >= 0 && logprobs.orElse(0) <= 20, "logprobs", logprobs.orElse(0), "from 0 to 20");
        logitBias = Map.copyOf(logitBias);
        badWords = badWords.stream().map(List::copyOf).toList();
        if (badWords.contains(List.<Integer>of())) {
            throw new IllegalArgumentException("bad_words holds an empty sequence of tokens; leave it out");
        }
        allowedTokenIds = List.copyOf(allowedTokenIds);
        stopTokenIds = List.copyOf(stopTokenIds);
    }

    /** Sampling from the model's own distribution until it ends or {@code maxTokens} are generated, to be changed. */
    public static Builder builder(int maxTokens) {
        return new Builder(maxTokens);
    }

    /** Greedy decoding of {@code maxTokens} tokens, ended early only by the model's end-of-sequence tokens. */
    public static SamplingParams greedy(int maxTokens) {
        return builder(maxTokens).temperature(0).build();
    }

    /** Greedy decoding of {@code tokens} tokens, no fewer: the model's end-of-sequence tokens are like any other. */
    public static SamplingParams greedyExactly(int tokens) {
        return builder(tokens).temperature(0).ignoreEos(true).build();
    }

    /** A builder that begins with these parameters. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    boolean isGreedy() {
        return temperature == 0;
    }

    int[] stopTokens() {
        return ints(stopTokenIds);
    }

    static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }

    private static void check(boolean valid, String name, Number value, String range) {
        if (!valid) {
            throw new IllegalArgumentException(name + " is " + value + " but must be " + range);
        }
    }

    static boolean contains(int[] tokens, int token) {
        for (int candidate : tokens) { // a stream would be garbage for each token
            if (candidate == token) {
                return true;
            }
        }
        return false;
    }

    /** Collects parameters, each under its own name; what is not set does nothing. Owned by one thread. */
    public static final class Builder {
        private int maxTokens;
        private float temperature = 1;
        private int topK;
        private float topP = 1;
        private float minP;
        private float frequencyPenalty;
        private float presencePenalty;
        private float repetitionPenalty = 1;
        private Map<Integer, Float> logitBias = Map.of();
        private List<List<Integer>> badWords = List.of();
        private List<Integer> allowedTokenIds = List.of();
        private OptionalLong seed = OptionalLong.empty();
        private int minTokens;
        private List<Integer> stopTokenIds = List.of();
        private boolean ignoreEos;
        private OptionalInt logprobs = OptionalInt.empty();

        private Builder(int maxTokens) {
            this.maxTokens = maxTokens;
        }

        private Builder(SamplingParams params) {
            maxTokens = params.maxTokens;
            temperature = params.temperature;
            topK = params.topK;
            topP = params.topP;
            minP = params.minP;
            frequencyPenalty = params.frequencyPenalty;
            presencePenalty = params.presencePenalty;
            repetitionPenalty = params.repetitionPenalty;
            logitBias = params.logitBias;
            badWords = params.badWords;
            allowedTokenIds = params.allowedTokenIds;
            seed = params.seed;
            minTokens = params.minTokens;
            stopTokenIds = params.stopTokenIds;
            ignoreEos = params.ignoreEos;
            logprobs = params.logprobs;
        }

        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        public Builder temperature(float value) {
            temperature = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder topP(float value) {
            topP = value;
            return this;
        }

        public Builder minP(float value) {
            minP = value;
            return this;
        }

        public Builder frequencyPenalty(float value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder presencePenalty(float value) {
            presencePenalty = value;
            return this;
        }

        public Builder repetitionPenalty(float value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Float> value) {
            logitBias = value;
            return this;
        }

        public Builder badWords(List<List<Integer>> value) {
            badWords = value;
            return this;
        }

        public Builder allowedTokenIds(List<Integer> value) {
            allowedTokenIds = value;
            return this;
        }

        public Builder seed(long value) {
            seed = OptionalLong.of(value);
            return this;
        }

        public Builder minTokens(int value) {
            minTokens = value;
            return this;
        }

        public Builder stopTokenIds(List<Integer> value) {
            stopTokenIds = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder logprobs(int value) {
            logprobs = OptionalInt.of(value);
            return this;
        }

        /**
         * The parameters.
         *
         * @throws IllegalArgumentException naming the one that is out of range
         */
        public SamplingParams build() {
            return new SamplingParams(
                    temperature,
                    topK,
                    topP,
                    minP,
                    frequencyPenalty,
                    presencePenalty,
                    repetitionPenalty,
                    logitBias,
                    badWords,
                    allowedTokenIds,
                    seed,
                    maxTokens,
                    minTokens,
                    stopTokenIds,
                    ignoreEos,
                    logprobs);
        }
    }
}
