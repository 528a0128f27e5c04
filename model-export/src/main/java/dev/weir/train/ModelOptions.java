package dev.weir.train;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say which model to train: a preset, and what is to differ from it. */
final class ModelOptions {
    /** The model when no preset is named: small enough for a processor, large enough to write sentences. */
    private static final GptConfig DEFAULT = new GptConfig(6, 6, 384, 512, 1024, 0.2);

    @Option(
            names = "--preset",
            paramLabel = "NAME",
            description = "A model that ./weir presets lists; the options below override its parts.")
    @Nullable
    String preset;

    @Option(
            names = "--vocabulary",
            paramLabel = "N",
            description = "Token ids of the tokenizer to train (default: the preset's, else 1024).")
    @Nullable
    Integer vocabulary;

    @Option(names = "--layers", paramLabel = "N", description = "Transformer blocks (default: the preset's, else 6).")
    @Nullable
    Integer layers;

    @Option(
            names = "--heads",
            paramLabel = "N",
            description = "Attention heads of a block (default: the preset's, else 6).")
    @Nullable
    Integer heads;

    @Option(
            names = "--width",
            paramLabel = "N",
            description = "Size of the residual stream, a multiple of --heads (default: the preset's, else 384).")
    @Nullable
    Integer width;

    @Option(
            names = "--context",
            paramLabel = "N",
            description = "Tokens that the model sees at once (default: the preset's, else 512).")
    @Nullable
    Integer context;

    @Option(
            names = "--window",
            paramLabel = "N",
            description = "Tokens that every second layer attends to, as in a GPT-3; 0 for the whole context "
                    + "(default: the preset's, else 0).")
    @Nullable
    Integer window;

    @Option(
            names = "--dropout",
            paramLabel = "SHARE",
            description = "Share of activations and attention weights dropped while training. Above 0, a pass holds"
                    + " all attention weights, which grow with the square of the context (default: the"
                    + " preset's, else 0.2).")
    @Nullable
    Double dropout;

    @Option(names = "--output-bias", description = "Give each token a bias in the output head.")
    boolean outputBias;

    @Option(
            names = "--direction",
            paramLabel = "WAY",
            defaultValue = "ltr",
            description = "ltr, or rtl to train on each document's tokens from the last to the first, for research "
                    + "(default: ${DEFAULT-VALUE}).")
    Direction direction = Direction.LTR;

    /** Token ids of the tokenizer, if one is to be trained. */
    int vocabularySize() {
        return or(vocabulary, base().vocabularySize());
    }

    /** Refuses what is no model, before any time is spent on its tokenizer. */
    void check() {
        config(vocabularySize());
    }

    /** The model for a tokenizer of that size. */
    GptConfig config(int vocabularySize) {
        GptConfig base = base();
        GptConfig shape = new GptConfig(
                base.family(),
                or(layers, base.layers()),
                or(heads, base.heads()),
                or(width, base.width()),
                or(context, base.context()),
                vocabularySize,
                dropout == null ? base.dropout() : dropout,
                base.window(),
                outputBias,
                direction);
        return window == null ? shape : shape.withWindow(window);
    }

    private GptConfig base() {
        GptConfig base = preset == null ? DEFAULT : Preset.named(preset).config();
        if (base.family() == Family.LLAMA) {
            throw new UserError("--preset is " + preset + ", a Llama, which is exported with random weights and not "
                    + "trained here: choose a GPT");
        }
        return base;
    }

    private static int or(@Nullable Integer given, int otherwise) {
        return given == null ? otherwise : given;
    }
}
