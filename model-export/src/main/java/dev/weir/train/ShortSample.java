package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;

/**
 * What a model in training is asked to write each time that it is validated, always the same. Immutable; any thread.
 *
 * @param tokens how many; 0 for no sample
 */
record ShortSample(String prompt, int tokens, long seed) {
    /** Enough to see how well it writes, and quick beside a validation. */
    static final int MOST_TOKENS = 64;

    /** The prompt and its continuation; empty where there is to be no sample. */
    String write(GptModel model, Tokenizer tokenizer) {
        return tokens == 0
                ? ""
                : new TextSampler(model, tokenizer)
                        .sample(prompt, tokens, TextSampler.TEMPERATURE, TextSampler.TOP_P, seed);
    }
}
