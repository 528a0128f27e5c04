package dev.weir.train;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * What one GPT computes, and which way it reads. All have tied embeddings and norms with epsilon 1e-5, and all but a Llama, which
 * differs as {@link LlamaShape} says, learned positions, tanh GELU and biases in every layer.
 *
 * @param layers number of transformer blocks
 * @param heads attention heads of each block; divides {@code width}
 * @param width size of the residual stream, "n_embd" in Hugging Face's words
 * @param context most tokens that one forward pass may see, "n_positions"
 * @param vocabularySize number of token ids
 * @param dropout share of activations and attention weights dropped while training, in [0, 1); it plays no part in inference
 * @param window tokens that a banded layer attends to, the current one included; 0 for families without such layers
 * @param outputBias whether each token has a bias in the output head, which none of the papers has
 * @param direction the order of the tokens that it was trained on
 * @param llama what a Llama has besides; null for all others
 */
record GptConfig(
        Family family,
        int layers,
        int heads,
        int width,
        int context,
        int vocabularySize,
        double dropout,
        int window,
        boolean outputBias,
        Direction direction,
        @Nullable LlamaShape llama) {
    /** What is added to the variance in every layer norm. */
    static final double LAYER_NORM_EPSILON = 1e-5;
    /** Name of the output head's bias. */
    static final String OUTPUT_BIAS = "lm_head.bias";

    GptConfig {
        requirePositive("layers", layers);
        requirePositive("heads", heads);
        requirePositive("width", width);
        requirePositive("context", context);
        requirePositive("vocabulary size", vocabularySize);
        if (width % heads != 0) {
            throw new IllegalArgumentException(
                    "width is " + width + ", which heads = " + heads + " does not divide: choose a multiple of heads");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new IllegalArgumentException("dropout is " + dropout + ": choose a number from 0 to below 1");
        }
        if (window < 0 || (window > 0) != (family == Family.GPT3)) {
            throw new IllegalArgumentException("window is " + window + " in a model of family " + family.label()
                    + ": it must be at least 1 in gpt3, whose every second layer is banded, and 0 in the others");
        }
        if ((llama != null) != (family == Family.LLAMA)) {
            throw new IllegalArgumentException(
                    "family is " + family.label() + ": a llama has a shape of its own, and no other has");
        }
        if (llama != null && heads % llama.kvHeads() != 0) {
            throw new IllegalArgumentException("heads is " + heads + ", which kv heads = " + llama.kvHeads()
                    + " does not divide: choose a multiple of kv heads");
        }
    }

    /** Any but a Llama. */
    GptConfig(
            Family family,
            int layers,
            int heads,
            int width,
            int context,
            int vocabularySize,
            double dropout,
            int window,
            boolean outputBias,
            Direction direction) {
        this(family, layers, heads, width, context, vocabularySize, dropout, window, outputBias, direction, null);
    }

    /** A Llama. */
    GptConfig(int layers, int heads, int width, int context, int vocabularySize, LlamaShape llama) {
        this(Family.LLAMA, layers, heads, width, context, vocabularySize, 0, 0, false, Direction.LTR, llama);
    }

    /** A GPT-2. */
    GptConfig(int layers, int heads, int width, int context, int vocabularySize, double dropout) {
        this(Family.GPT2, layers, heads, width, context, vocabularySize, dropout, 0, false, Direction.LTR);
    }

    /** The same with another window; a GPT-2 with one is a GPT-3, and a GPT-3 without is a GPT-2. */
    GptConfig withWindow(int tokens) {
        Family fitting = family == Family.GPT1 ? family : tokens == 0 ? Family.GPT2 : Family.GPT3;
        return new GptConfig(
                fitting, layers, heads, width, context, vocabularySize, dropout, tokens, outputBias, direction, llama);
    }

    GptConfig withOutputBias() {
        return new GptConfig(
                family, layers, heads, width, context, vocabularySize, dropout, window, true, direction, llama);
    }

    GptConfig withVocabularySize(int tokens) {
        return new GptConfig(
                family, layers, heads, width, context, tokens, dropout, window, outputBias, direction, llama);
    }

    GptConfig withDropout(double share) {
        return new GptConfig(
                family, layers, heads, width, context, vocabularySize, share, window, outputBias, direction, llama);
    }

    GptConfig withDirection(Direction other) {
        return new GptConfig(
                family, layers, heads, width, context, vocabularySize, dropout, window, outputBias, other, llama);
    }

    int headSize() {
        return width / heads;
    }

    /** Heads of keys and values. */
    int kvHeads() {
        return llama == null ? heads : llama.kvHeads();
    }

    /** Whether a layer attends to the window alone: the second, the fourth and so on of a GPT-3. */
    boolean isBanded(int layer) {
        return window > 0 && layer % 2 == 1;
    }

    /** Every weight's name, as in Hugging Face's files, with its shape. */
    SequencedMap<String, long[]> tensorShapes() {
        if (llama != null) {
            return llama.tensorShapes(this);
        }
        long d = width;
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(family.tokenEmbedding(), new long[] {vocabularySize, d});
        shapes.put(family.positionEmbedding(), new long[] {context, d});
        for (int layer = 0; layer < layers; layer++) {
            String block = "h." + layer + ".";
            shapes.put(block + "ln_1.weight", new long[] {d});
            shapes.put(block + "ln_1.bias", new long[] {d});
            // Matrices lie as Hugging Face's Conv1D has them, [in, out], so that y = x W + b without a transpose.
            shapes.put(block + "attn.c_attn.weight", new long[] {d, 3 * d});
            shapes.put(block + "attn.c_attn.bias", new long[] {3 * d});
            shapes.put(block + "attn.c_proj.weight", new long[] {d, d});
            shapes.put(block + "attn.c_proj.bias", new long[] {d});
            shapes.put(block + "ln_2.weight", new long[] {d});
            shapes.put(block + "ln_2.bias", new long[] {d});
            shapes.put(block + "mlp.c_fc.weight", new long[] {d, 4 * d});
            shapes.put(block + "mlp.c_fc.bias", new long[] {4 * d});
            shapes.put(block + "mlp.c_proj.weight", new long[] {4 * d, d});
            shapes.put(block + "mlp.c_proj.bias", new long[] {d});
        }
        if (!family.isPostNorm()) {
            shapes.put("ln_f.weight", new long[] {d});
            shapes.put("ln_f.bias", new long[] {d});
        }
        if (outputBias) {
            shapes.put(OUTPUT_BIAS, new long[] {vocabularySize});
        }
        return shapes;
    }

    /** Number of trained weights; the output head is the token embedding and counts once. */
    long parameters() {
        return tensorShapes().values().stream().mapToLong(GptConfig::elements).sum();
    }

    /** Number of elements of a tensor of that shape. */
    static long elements(long[] shape) {
        long product = 1;
        for (long size : shape) {
            product = Math.multiplyExact(product, size);
        }
        return product;
    }

    @Override
    public String toString() {
        return family.title() + ", " + shape() + ", dropout " + dropout;
    }

    /** All but the family and what concerns training alone, in words. */
    String shape() {
        return String.format(
                Locale.ROOT,
                "%d layers, %d heads, width %d, context %d, vocabulary %d%s%s%s%s",
                layers,
                heads,
                width,
                context,
                vocabularySize,
                window > 0 ? ", every second layer sees " + window + " tokens" : "",
                outputBias ? ", output bias" : "",
                direction == Direction.RTL ? ", reads right to left" : "",
                llama == null ? "" : ", " + llama.kvHeads() + " heads of keys and values, hidden " + llama.hidden());
    }

    private static void requirePositive(String field, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(field + " is " + value + ": it must be at least 1");
        }
    }
}
