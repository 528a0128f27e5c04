package dev.weir.train;

import java.util.Locale;

/** The generations of GPT, and their successor: where they put their layer norms, how their tensors are called, how they start out. */
enum Family {
    /**
     * Norms after each addition and none at the end (Radford et al., "Improving Language Understanding by Generative
     * Pre-Training", 2018).
     */
    GPT1,
    /**
     * Norms before each sublayer and one at the end (Radford et al., "Language Models are Unsupervised Multitask Learners",
     * 2019).
     */
    GPT2,
    /**
     * A GPT-2 whose every second layer sees only the last few tokens (Brown et al., "Language Models are Few-Shot Learners",
     * 2020, after Child et al., "Generating Long Sequences with Sparse Transformers", 2019).
     */
    GPT3,
    /**
     * Rotary positions, norms without a mean, gated feed-forward layers and no biases: {@link LlamaShape}. Exported with random
     * weights, and not trained.
     */
    LLAMA;

    /** The name on the command line and in messages. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The name in prose. */
    String title() {
        return this == LLAMA ? "Llama" : name().replace("GPT", "GPT-");
    }

    /** Whether a sublayer's result is normalised together with what it is added to, instead of its input before it. */
    boolean isPostNorm() {
        return this == GPT1;
    }

    /** Name of the embedding of tokens, which is also the output head, in Hugging Face's files. */
    String tokenEmbedding() {
        return switch (this) {
            case GPT1 -> "tokens_embed.weight";
            case GPT2, GPT3 -> "wte.weight";
            case LLAMA -> "embed_tokens.weight";
        };
    }

    /** Name of the embedding of positions in Hugging Face's files; empty in a Llama, which has none. */
    String positionEmbedding() {
        return switch (this) {
            case GPT1 -> "positions_embed.weight";
            case GPT2, GPT3 -> "wpe.weight";
            case LLAMA -> "";
        };
    }
}
