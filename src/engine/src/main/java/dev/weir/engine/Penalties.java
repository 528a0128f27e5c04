package dev.weir.engine;

import java.util.Arrays;

/**
 * The tokens of one sequence that count against being chosen again, and what that costs them. Used by one thread at a time.
 *
 * <p>A sparse table of counts, open addressing with linear probing: its size follows the distinct tokens of the sequence,
 * never the vocabulary. Each token's logit is changed by itself, so that the order of the table does not show.
 */
final class Penalties {
    private static final int EMPTY = -1;

    private final float frequency;
    private final float presence;
    private final float repetition;
    private int[] tokens = new int[32]; // a power of two, at most half full
    private int[] counts = new int[32];
    private int size;

    /**
     * Penalties as in {@link SamplingParams}.
     *
     * @param prompt tokens that only the repetition penalty looks at
     */
    Penalties(float frequency, float presence, float repetition, int[] prompt) {
        this.frequency = frequency;
        this.presence = presence;
        this.repetition = repetition;
        Arrays.fill(tokens, EMPTY);
        if (repetition != 1) {
            for (int token : prompt) {
                add(token, 0);
            }
        }
    }

    /** Counts a generated token. */
    void accept(int token) {
        add(token, 1);
    }

    /** Repetition, then frequency, then presence, as vLLM orders them. */
    void apply(float[] logits) {
        for (int place = 0; place < tokens.length; place++) {
            int token = tokens[place];
            if (token == EMPTY) {
                continue;
            }
            float logit = logits[token];
            if (repetition != 1 && logit != Float.NEGATIVE_INFINITY) {
                float repeated = logit > 0 ? logit / repetition : logit * repetition;
                // An extreme penalty must not overflow: an infinite logit would pass for a broken model.
                logit = Math.clamp(repeated, -Float.MAX_VALUE, Float.MAX_VALUE);
            }
            int count = counts[place];
            if (count > 0) {
                logit -= frequency * count + presence;
            }
            logits[token] = logit;
        }
    }

    private void add(int token, int times) {
        int place = place(token);
        if (tokens[place] == EMPTY) {
            if (2 * (size + 1) > tokens.length) {
                grow();
                place = place(token);
            }
            tokens[place] = token;
            size++;
        }
        counts[place] += times;
    }

    /** Where the token is, or would be. */
    private int place(int token) {
        int mask = tokens.length - 1;
        int place = ((token * 0x9E3779B9) >>> 7) & mask;
        while (tokens[place] != EMPTY && tokens[place] != token) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private void grow() {
        int[] oldTokens = tokens;
        int[] oldCounts = counts;
        tokens = new int[2 * oldTokens.length];
        counts = new int[tokens.length];
        Arrays.fill(tokens, EMPTY);
        for (int i = 0; i < oldTokens.length; i++) {
            if (oldTokens[i] != EMPTY) {
                int place = place(oldTokens[i]);
                tokens[place] = oldTokens[i];
                counts[place] = oldCounts[i];
            }
        }
    }
}
