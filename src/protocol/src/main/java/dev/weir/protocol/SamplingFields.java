package dev.weir.protocol;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How and when a request wants to be answered, as it was sent; null means not sent, so that the server's and the model's defaults
 * apply. Immutable; any thread. Made by a {@link Builder}.
 *
 * @param temperature 0 (greedy) to 2
 * @param topP above 0 and at most 1
 * @param topK most likely tokens considered, 0 for all
 * @param minP least share of the most likely token's probability, 0 up to but not 1
 * @param frequencyPenalty taken from a logit once for each time that its token was generated, -2 to 2
 * @param presencePenalty taken from the logit of each token that was generated, -2 to 2
 * @param repetitionPenalty divides the logits of tokens of prompt and answer, above 0
 * @param logitBias added to the logits of single tokens, -100 to 100 by token id
 * @param badWords strings that are not written
 * @param allowedTokenIds the only tokens that may be chosen; empty allows all
 * @param seed seed of the random numbers
 * @param maxTokens tokens to generate at most: {@code max_tokens}, {@code max_completion_tokens} or
 *     {@code max_output_tokens}
 * @param minTokens tokens before a stop token may be chosen
 * @param stop strings that end the text, at most {@value #MAX_STOP_STRINGS}
 * @param stopTokenIds tokens that end the text
 * @param includeStop whether the stop string that ended the text is part of it
 * @param ignoreEos whether the model's end-of-sequence tokens are generated like any other
 * @param logprobs how many of the most likely tokens to tell beside each chosen one, 0 to 20; null tells nothing. Each API
 *     has its own names for it.
 * @param priority lower numbers go before others of the same tenant
 * @param timeLimitMillis milliseconds within which the whole answer is of use
 * @param format what the answer must look like; null for any text
 */
public record SamplingFields(
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Integer topK,
        @Nullable Double minP,
        @Nullable Double frequencyPenalty,
        @Nullable Double presencePenalty,
        @Nullable Double repetitionPenalty,
        Map<Integer, Double> logitBias,
        List<String> badWords,
        List<Integer> allowedTokenIds,
        @Nullable Long seed,
        @Nullable Integer maxTokens,
        int minTokens,
        List<String> stop,
        List<Integer> stopTokenIds,
        boolean includeStop,
        boolean ignoreEos,
        @Nullable Integer logprobs,
        int priority,
        @Nullable Integer timeLimitMillis,
        @Nullable OutputFormat format) {
    /** Stop strings that the OpenAI API allows. */
    public static final int MAX_STOP_STRINGS = 4;

    /** Nothing sent. */
    public static final SamplingFields NONE = builder().build();

    private static final int MAX_STRING_LENGTH = 512;
    private static final int MAX_STOP_TOKENS = 64;
    private static final int MAX_BIASES = 1024;
    private static final int MAX_BAD_WORDS = 128;
    private static final int MAX_ALLOWED_TOKENS = 1 << 20;

    public SamplingFields {
        logitBias = Map.copyOf(logitBias);
        badWords = List.copyOf(badWords);
        allowedTokenIds = List.copyOf(allowedTokenIds);
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
        Long priority = fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, "of 32 bits");
        List<Integer> allowed = fields.integers("allowed_token_ids", MAX_ALLOWED_TOKENS);
        if (allowed.isEmpty() && fields.has("allowed_token_ids")) {
            throw fields.empty("allowed_token_ids", "send at least one token id or leave it out");
        }
        return new SamplingFields(
                fields.decimal("temperature", 0, 2, "from 0 to 2"),
                fields.decimal("top_p", Double.MIN_NORMAL, 1, "above 0 and at most 1"),
                topK == null ? null : Integer.valueOf(Math.max(topK, 0)),
                fields.decimal("min_p", 0, Math.nextDown(1f), "at least 0 and below 1"),
                fields.decimal("frequency_penalty", -2, 2, "from -2 to 2"),
                fields.decimal("presence_penalty", -2, 2, "from -2 to 2"),
                fields.decimal("repetition_penalty", Float.MIN_VALUE, Float.MAX_VALUE, "above 0"),
                fields.numbersById("logit_bias", MAX_BIASES, -100, 100, "from -100 to 100"),
                fields.strings("bad_words", MAX_BAD_WORDS, MAX_STRING_LENGTH),
                allowed,
                fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE, "of 64 bits"),
                maxTokens,
                minTokens == null ? 0 : minTokens,
                fields.strings("stop", MAX_STOP_STRINGS, MAX_STRING_LENGTH),
                fields.integers("stop_token_ids", MAX_STOP_TOKENS),
                fields.flag("include_stop_str_in_output", false),
                fields.flag("ignore_eos", false),
                null,
                priority == null ? 0 : priority.intValue(),
                fields.smallInteger("time_limit_ms", 1, "of 1 or more"),
                OutputFormatReader.read(fields));
    }

    /** Nothing sent, to be changed. */
    public static Builder builder() {
        return new Builder();
    }

    /** A builder that begins with these fields. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** Collects fields, each under its own name; the others are not sent. Owned by one thread. */
    public static final class Builder {
        private @Nullable Double temperature;
        private @Nullable Double topP;
        private @Nullable Integer topK;
        private @Nullable Double minP;
        private @Nullable Double frequencyPenalty;
        private @Nullable Double presencePenalty;
        private @Nullable Double repetitionPenalty;
        private Map<Integer, Double> logitBias = Map.of();
        private List<String> badWords = List.of();
        private List<Integer> allowedTokenIds = List.of();
        private @Nullable Long seed;
        private @Nullable Integer maxTokens;
        private int minTokens;
        private List<String> stop = List.of();
        private List<Integer> stopTokenIds = List.of();
        private boolean includeStop;
        private boolean ignoreEos;
        private @Nullable Integer logprobs;
        private int priority;
        private @Nullable Integer timeLimitMillis;
        private @Nullable OutputFormat format;

        private Builder() {}

        private Builder(SamplingFields fields) {
            temperature = fields.temperature;
            topP = fields.topP;
            topK = fields.topK;
            minP = fields.minP;
            frequencyPenalty = fields.frequencyPenalty;
            presencePenalty = fields.presencePenalty;
            repetitionPenalty = fields.repetitionPenalty;
            logitBias = fields.logitBias;
            badWords = fields.badWords;
            allowedTokenIds = fields.allowedTokenIds;
            seed = fields.seed;
            maxTokens = fields.maxTokens;
            minTokens = fields.minTokens;
            stop = fields.stop;
            stopTokenIds = fields.stopTokenIds;
            includeStop = fields.includeStop;
            ignoreEos = fields.ignoreEos;
            logprobs = fields.logprobs;
            priority = fields.priority;
            timeLimitMillis = fields.timeLimitMillis;
            format = fields.format;
        }

        public Builder temperature(double value) {
            temperature = value;
            return this;
        }

        public Builder topP(double value) {
            topP = value;
            return this;
        }

        public Builder topK(int value) {
            topK = value;
            return this;
        }

        public Builder minP(double value) {
            minP = value;
            return this;
        }

        public Builder frequencyPenalty(double value) {
            frequencyPenalty = value;
            return this;
        }

        public Builder presencePenalty(double value) {
            presencePenalty = value;
            return this;
        }

        public Builder repetitionPenalty(double value) {
            repetitionPenalty = value;
            return this;
        }

        public Builder logitBias(Map<Integer, Double> value) {
            logitBias = value;
            return this;
        }

        public Builder badWords(List<String> value) {
            badWords = value;
            return this;
        }

        public Builder allowedTokenIds(List<Integer> value) {
            allowedTokenIds = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Builder maxTokens(int value) {
            maxTokens = value;
            return this;
        }

        public Builder minTokens(int value) {
            minTokens = value;
            return this;
        }

        public Builder stop(String... value) {
            stop = List.of(value);
            return this;
        }

        public Builder stopTokenIds(List<Integer> value) {
            stopTokenIds = value;
            return this;
        }

        public Builder includeStop(boolean value) {
            includeStop = value;
            return this;
        }

        public Builder ignoreEos(boolean value) {
            ignoreEos = value;
            return this;
        }

        public Builder logprobs(@Nullable Integer value) {
            logprobs = value;
            return this;
        }

        public Builder priority(int value) {
            priority = value;
            return this;
        }

        public Builder timeLimitMillis(int value) {
            timeLimitMillis = value;
            return this;
        }

        public Builder format(@Nullable OutputFormat value) {
            format = value;
            return this;
        }

        public SamplingFields build() {
            return new SamplingFields(
                    temperature,
                    topP,
                    topK,
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
                    stop,
                    stopTokenIds,
                    includeStop,
                    ignoreEos,
                    logprobs,
                    priority,
                    timeLimitMillis,
                    format);
        }
    }
}
