package dev.weir.train;

import java.util.Arrays;

/**
 * First weights with which a GPT copies from its context before it has learned anything: the circuit of two heads in two layers
 * that Olsson et al. ("In-context Learning and Induction Heads", 2022) found in trained models, set up by hand. Training is free
 * to change all of it. It spares a short run the long plateau before such heads form by themselves. Immutable; any thread.
 *
 * <p>The residual stream is divided, s being the size of a head: columns 0 to s hold the position, as sines of wavelengths from
 * 2 pi to about 200 pi tokens; s to 2 s and 2 s to 3 s are empty; the rest holds the token. In layer 0, head 0 writes the token
 * before into the first empty columns, and head 1 the one before that into the second. In layer 1, head 0 looks for places whose
 * token before is the current one, and head 1 for places whose last but one is the one before the current, as in lists with a
 * mark between the items; both add what stands there to the prediction. All other heads and layers begin by adding nothing, as in
 * Goyal et al. (2017, section 5.1), so that they do not drown it. Embeddings are larger than GPT-2's and the last norm smaller by
 * as much, so that the first hundred steps of Adam do not write over them.
 *
 * @param config of a pre-norm GPT with two layers that see the whole context and with four heads at least
 */
record InductionHeads(GptConfig config) {
    /** Of embeddings and of what the heads of the circuit write, against 0.02 in GPT-2. */
    private static final double DEVIATION = 0.08;
    /** Of columns that shall hold little at first, in parts of the {@link #DEVIATION}. */
    private static final double QUIET = 0.1;

    private static final double LONGEST_WAVE = 100;
    private static final double LOOK_BACK_GAIN = 3.5;
    private static final double MATCH_GAIN = 1.6;
    private static final double TOKEN_BEFORE = 1.5 * DEVIATION;
    private static final double PREDICTION = 3 * DEVIATION;
    private static final double LAST_NORM = 0.25;

    private static final int LEAST_LAYERS = 2;
    private static final int LEAST_HEADS = 4;
    private static final int PAIR = 2;

    InductionHeads {
        if (config.family().isPostNorm()
                || config.window() > 0
                || config.layers() < LEAST_LAYERS
                || config.heads() < LEAST_HEADS
                || config.headSize() % 2 != 0) {
            throw new UserError(
                    "--induction-heads needs a GPT-2 of 2 layers and 4 heads or more, of an even size, but this is "
                            + config + ": choose another shape, or leave it out");
        }
    }

    /**
     * Changes one tensor.
     *
     * @param values random ones, normal with deviation {@code deviation}, or ones of a norm
     */
    void writeOver(String name, float[] values, double deviation) {
        if (name.endsWith("c_proj.weight")) {
            Arrays.fill(values, 0);
        }
        if (name.equals(config.family().positionEmbedding())) {
            positions(values, deviation);
        } else if (name.equals(config.family().tokenEmbedding())) {
            tokens(values, deviation);
        } else {
            switch (name) {
                case "h.0.attn.c_attn.weight" -> {
                    for (int head = 0; head < PAIR; head++) {
                        lookBack(values, head, head + 1);
                        takeToken(values, head);
                    }
                }
                case "h.0.attn.c_proj.weight" -> {
                    for (int head = 0; head < PAIR; head++) {
                        put(values, head, (1 + head) * size(), TOKEN_BEFORE);
                    }
                }
                case "h.1.attn.c_attn.weight" -> {
                    match(values, 0, token(), size());
                    match(values, 1, size(), 2 * size());
                    takeToken(values, 0);
                    takeToken(values, 1);
                }
                case "h.1.attn.c_proj.weight" -> {
                    put(values, 0, token(), PREDICTION);
                    put(values, 1, token(), PREDICTION);
                }
                case "ln_f.weight" -> Arrays.fill(values, (float) LAST_NORM);
                default -> {
                    // as random as it was
                }
            }
        }
    }

    private int size() {
        return config.headSize();
    }

    /** The first column of what a token is. */
    private int token() {
        return 3 * size();
    }

    private void positions(float[] values, double deviation) {
        double amplitude = DEVIATION * Math.sqrt(2);
        for (int i = 0; i < values.length; i++) {
            int column = i % config.width();
            int position = i / config.width();
            double angle = position * frequency(column);
            values[i] = column >= size()
                    ? (float) (values[i] * DEVIATION / deviation * QUIET)
                    : (float) (amplitude * (column % 2 == 0 ? Math.sin(angle) : Math.cos(angle)));
        }
    }

    /** Radians a token of the sine and the cosine in a pair of columns. */
    private double frequency(int column) {
        return Math.pow(LONGEST_WAVE, -(column - column % 2) / (double) size());
    }

    private void tokens(float[] values, double deviation) {
        for (int i = 0; i < values.length; i++) {
            boolean inside = i % config.width() >= token();
            values[i] = (float) (values[i] * DEVIATION / deviation * (inside ? Math.sqrt(2) : QUIET));
        }
    }

    /** A head's query is its position turned back by some tokens, which its key there equals. */
    private void lookBack(float[] values, int head, int tokens) {
        int query = head * size();
        int key = config.width() + head * size();
        for (int sine = 0; sine < size(); sine += 2) {
            int cosine = sine + 1;
            double angle = tokens * frequency(sine);
            add(values, sine, query + sine, LOOK_BACK_GAIN * Math.cos(angle));
            add(values, cosine, query + sine, -LOOK_BACK_GAIN * Math.sin(angle));
            add(values, sine, query + cosine, LOOK_BACK_GAIN * Math.sin(angle));
            add(values, cosine, query + cosine, LOOK_BACK_GAIN * Math.cos(angle));
            add(values, sine, key + sine, LOOK_BACK_GAIN);
            add(values, cosine, key + cosine, LOOK_BACK_GAIN);
        }
    }

    /** A head's query is what some columns hold, and its key what others hold. */
    private void match(float[] values, int head, int query, int key) {
        for (int i = 0; i < size(); i++) {
            add(values, query + i, head * size() + i, MATCH_GAIN);
            add(values, key + i, config.width() + head * size() + i, MATCH_GAIN);
        }
    }

    /** A head's value is the beginning of what the token is. */
    private void takeToken(float[] values, int head) {
        for (int i = 0; i < size(); i++) {
            add(values, token() + i, 2 * config.width() + head * size() + i, 1);
        }
    }

    /** Adds to an attention's first matrix, [d, 3 d]. */
    private void add(float[] values, int in, int out, double amount) {
        values[in * 3 * config.width() + out] += (float) amount;
    }

    /** A head writes its values to some columns; its second matrix is [d, d]. */
    private void put(float[] values, int head, int column, double gain) {
        for (int i = 0; i < size(); i++) {
            values[(head * size() + i) * config.width() + column + i] = (float) gain;
        }
    }
}
