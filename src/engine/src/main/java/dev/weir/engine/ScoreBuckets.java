package dev.weir.engine;

import java.util.Arrays;

/**
 * Draws from the largest scores of a row without sorting the row. Owned by the engine thread, whose memory it reuses for every
 * row.
 *
 * <p>One pass puts weights e^x into buckets by the step of {@link FastExp} at which they are, {@value FastExp#STEPS} to a factor
 * of e. Sums over buckets then say in which one a share of all weight is reached, and only what lies there is put in order. Time
 * grows with the vocabulary alone, be the scores steep or flat.
 */
final class ScoreBuckets {
    private final int[] steps;
    /** The weight of each score relative to that of its step. */
    private final float[] relative;

    private final double[] masses = new double[FastExp.LAST + 1];
    private final int[] counts = new int[FastExp.LAST + 1];
    private double massBefore;

    /** Scores with their tokens, the largest score first and of equals the lowest token. */
    private final long[] entries;

    private int size;

    ScoreBuckets(int vocabularySize) {
        steps = new int[vocabularySize];
        relative = new float[vocabularySize];
        entries = new long[vocabularySize];
    }

    /** Forgets what is in order. */
    void clear() {
        size = 0;
    }

    /** Adds a score that is not larger than those before it. */
    void add(int token, float score) {
        entries[size++] = entry(token, score);
    }

    /** How many scores are in order. */
    int size() {
        return size;
    }

    /** Puts the {@code k} largest scores in order, or fewer where the others are far less than the largest of all. */
    void takeLargest(float[] scores, float max, float inverse, int k) {
        measure(scores, max, inverse);
        Arrays.fill(counts, 0);
        for (int step : steps) {
            counts[step]++;
        }
        int last = 0;
        int count = counts[0];
        while (count < k && last < FastExp.LAST - 1) {
            last++;
            count += counts[last];
        }
        order(scores, 0, last);
        size = Math.min(size, k);
    }

    /**
     * Draws from the fewest of the scores in order, at least one, that have a share of their weight, by inverse CDF.
     *
     * @param inverse by what differences of scores are multiplied before they become weights
     * @param minWeight tokens of less weight, relative to the largest, are left out
     * @param share the share, over 0 to 1
     * @param uniform a random number from 0 to below 1
     */
    int drawFromOrdered(float inverse, float minWeight, float share, double uniform) {
        float max = score(0);
        double sum = 0;
        int kept = 0;
        while (kept < size) {
            float weight = weight(kept, max, inverse);
            if (weight <= 0 || weight < minWeight) {
                break;
            }
            sum += weight;
            kept++;
        }
        checkNumber(max);
        double mass = 0;
        int taken = 0;
        while (taken < kept && mass < share * sum) {
            mass += weight(taken, max, inverse);
            taken++;
        }
        return pick(0, taken, max, inverse, uniform * mass);
    }

    /**
     * Draws from the fewest of all scores that have a share of all weight, by inverse CDF from the largest down.
     *
     * @param max the largest of the scores, a finite number
     */
    int drawFromAll(float[] scores, float max, float inverse, float share, double uniform) {
        measure(scores, max, inverse);
        weigh();
        double mass = 0;
        for (double part : masses) {
            mass += part;
        }
        checkNumber(mass);
        if (share == 1) {
            int step = reaching(Math.nextUp(uniform * mass));
            order(scores, step, step);
            return pick(massBefore, size, max, inverse, uniform * mass);
        }
        double wanted = share * mass;
        int last = reaching(wanted);
        order(scores, last, last);
        mass = massBefore;
        int taken = 0;
        while (taken < size && mass < wanted) {
            mass += weight(taken, max, inverse);
            taken++;
        }
        double target = uniform * mass;
        if (target >= massBefore) {
            return pick(massBefore, taken, max, inverse, target);
        }
        int step = reaching(Math.nextUp(target));
        order(scores, step, step);
        return pick(massBefore, size, max, inverse, target);
    }

    private static void checkNumber(double value) {
        if (Double.isNaN(value)) {
            throw new IllegalStateException("the model gave logits that are not numbers");
        }
    }

    /** The bucket with which the weight from the largest down comes to so much, or the last that holds any. */
    private int reaching(double mass) {
        double seen = 0;
        int last = 0;
        for (int step = 0; step < masses.length && seen < mass; step++) {
            if (masses[step] > 0) {
                last = step;
                massBefore = seen;
                seen += masses[step];
            }
        }
        return last;
    }

    /** Sets the step of each score, the last one for scores without weight, and its weight relative to that. */
    private void measure(float[] scores, float max, float inverse) {
        float scale = inverse * FastExp.STEPS;
        for (int token = 0; token < steps.length; token++) {
            float distance = Math.min((max - scores[token]) * scale, FastExp.LAST);
            int step = (int) distance;
            steps[token] = step;
            relative[token] = FastExp.series(step - distance);
        }
    }

    /** Sums the weights of each bucket. */
    private void weigh() {
        Arrays.fill(masses, 0);
        for (int token = 0; token < steps.length; token++) {
            masses[steps[token]] += relative[token];
        }
        for (int step = 0; step < masses.length; step++) {
            masses[step] *= FastExp.power(step);
        }
    }

    /** Puts what is in some buckets in order. */
    private void order(float[] scores, int first, int last) {
        clear();
        for (int token = 0; token < steps.length; token++) {
            // One comparison, nearly always false: two would be guessed wrong for half of the row.
            if (Integer.compareUnsigned(steps[token] - first, last - first) <= 0) {
                add(token, scores[token]);
            }
        }
        Arrays.sort(entries, 0, size);
    }

    /** The first of so many in order with which the weight, of which some lies before them, is over the target. */
    private int pick(double before, int count, float max, float inverse, double target) {
        double seen = before;
        for (int place = 0; place < count; place++) {
            seen += weight(place, max, inverse);
            if (seen > target) {
                return token(place);
            }
        }
        return token(count - 1); // rounding left the target a hair above the sum
    }

    private float weight(int place, float max, float inverse) {
        return FastExp.exp((score(place) - max) * inverse);
    }

    /** In the order of {@link #entries}. */
    private static long entry(int token, float score) {
        int bits = Float.floatToRawIntBits(score + 0f); // makes -0 a 0
        int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE); // those below 0 the other way round
        return (~(long) ordered << 32) | token;
    }

    private int token(int place) {
        return (int) entries[place];
    }

    private float score(int place) {
        int ordered = ~(int) (entries[place] >> 32);
        return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & Integer.MAX_VALUE));
    }
}
