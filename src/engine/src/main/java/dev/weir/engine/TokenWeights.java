package dev.weir.engine;

import java.util.random.RandomGenerator;

/**
 * A row's tokens by their weights e^x, from which to draw without sorting. Owned by its {@link Sampler}, with memory for one
 * row.
 *
 * <p>Weights are whole numbers, {@value #ONE} for the largest score, so that sums of them are exact in whatever order; what is less
 * than one is not drawn. The loops over the row are written such that the JIT compiler makes vector instructions of them: no branch
 * depends on a weight, and what is summed is an integer.
 *
 * <p>A nucleus is drawn from by rejection: a token of all is in it if what goes before it, larger weights and of equals lower
 * tokens, has less than the share. If not, all that goes after it is not either, so that each try leaves fewer.
 */
final class TokenWeights {
    /** The largest weight. */
    static final int ONE = 1 << 30;

    /** Where e^x is less than half of 1 / {@link #ONE}. */
    private static final float LEAST_EXPONENT = -22;

    private static final int BLOCK = 4096;

    private final int[] weights;
    private final long[] sums;

    TokenWeights(int vocabularySize) {
        weights = new int[vocabularySize];
        sums = new long[vocabularySize / BLOCK + 1];
    }

    /**
     * Weighs a row; a score that is no number has no weight.
     *
     * @param max the largest of the scores, a finite number
     * @param inverse by what differences of scores are multiplied before they become weights
     */
    void weigh(float[] scores, float max, float inverse) {
        float scale = inverse / 32;
        for (int token = 0; token < weights.length; token++) {
            // e^(x / 32) by Taylor's series, and its 32nd power: within 5e-6 of the weight, or one
            float x = Math.max((scores[token] - max) * scale, LEAST_EXPONENT / 32);
            float power = Math.fma(x, 1 / 720f, 1 / 120f);
            power = Math.fma(power, x, 1 / 24f);
            power = Math.fma(power, x, 1 / 6f);
            power = Math.fma(power, x, 1 / 2f);
            power = Math.fma(power, x, 1);
            power = Math.fma(power, x, 1);
            power *= power;
            power *= power;
            power *= power;
            power *= power;
            power *= power;
            weights[token] = (int) (power * ONE);
        }
    }

    /**
     * Draws from the fewest of the largest weights that have a share of all.
     *
     * @param least weights below it are left out
     * @param share the share, over 0 to 1
     */
    int draw(int least, float share, RandomGenerator random) {
        int floor = least;
        int end = weights.length; // tokens from here on are out if they have the weight of the floor
        long candidates = sum(floor);
        double wanted = share * (double) candidates;
        while (true) {
            int token = at(floor, Math.min((long) (random.nextDouble() * candidates), candidates - 1));
            int weight = weights[token];
            if (weight == floor && token >= end) {
                continue;
            }
            if (share == 1 || before(token) < wanted) {
                return token;
            }
            floor = weight;
            end = token;
            candidates = sum(floor);
        }
    }

    /** A weight that the {@code k} largest have and not many others; at least 1. */
    int threshold(int k) {
        int low = 1;
        int high = ONE + 1;
        long count = count(low);
        while (count > 2L * k + 64 && high - low > 1) {
            int middle = Math.clamp((long) Math.sqrt((double) low * high), low + 1, high - 1);
            long above = count(middle);
            if (above >= k) {
                low = middle;
                count = above;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The weight of a token. */
    int weight(int token) {
        return weights[token];
    }

    /** The weight of all that have at least so much, block by block, and of the row. */
    private long sum(int floor) {
        long total = 0;
        for (int block = 0; block < sums.length; block++) {
            sums[block] = sum(block * BLOCK, Math.min((block + 1) * BLOCK, weights.length), floor);
            total += sums[block];
        }
        return total;
    }

    private long sum(int from, int to, int floor) {
        int below = floor - 1;
        long sum = 0;
        for (int token = from; token < to; token++) {
            int weight = weights[token];
            sum += weight & ((below - weight) >> 31); // all bits or none
        }
        return sum;
    }

    private long count(int floor) {
        int below = floor - 1;
        long count = 0;
        for (int weight : weights) {
            count += (below - weight) >>> 31;
        }
        return count;
    }

    /** The weight of all that goes before a token. */
    private long before(int token) {
        return sum(0, token, weights[token]) + sum(token, weights.length, weights[token] + 1);
    }

    /** The first token, of those that have at least so much, with which the sum of weights is over a target. */
    private int at(int floor, long target) {
        long left = target;
        int block = 0;
        while (left >= sums[block]) {
            left -= sums[block++];
        }
        int token = block * BLOCK;
        while (true) {
            int weight = weights[token];
            if (weight >= floor) {
                left -= weight;
                if (left < 0) {
                    return token;
                }
            }
            token++;
        }
    }
}
