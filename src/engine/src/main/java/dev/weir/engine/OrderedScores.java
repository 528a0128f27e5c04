package dev.weir.engine;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** The largest scores of a row in order, from which to draw. Owned by its {@link Sampler}, with memory for one row. */
final class OrderedScores {
    /** The token is one of those that are not here. */
    static final int ANOTHER = -2;
    /** Which tokens may be drawn is not known from those that are here. */
    static final int UNDECIDED = -3;

    /** Scores with their tokens, the largest score first and of equals the lowest token. */
    private final long[] entries;

    private int size;

    /** Weights of those that may be drawn, the first {@code kept}, and their sum. */
    private float[] weights = new float[0];

    private int kept;
    private double mass;

    OrderedScores(int vocabularySize) {
        entries = new long[vocabularySize];
    }

    /** Forgets all. */
    void clear() {
        size = 0;
    }

    /** Adds a score; in order unless {@link #sort} follows. */
    void add(int token, float score) {
        int bits = Float.floatToRawIntBits(score + 0f); // makes -0 a 0
        int ordered = bits ^ ((bits >> 31) & Integer.MAX_VALUE); // those below 0 the other way round
        entries[size++] = (~(long) ordered << 32) | token;
    }

    /** Puts them in order and keeps so many at most. */
    void sort(int most) {
        Arrays.sort(entries, 0, size);
        size = Math.min(size, most);
    }

    /** How many there are. */
    int size() {
        return size;
    }

    /**
     * Draws from the fewest of them, at least one, that have a share of their weight e^x, by inverse CDF.
     *
     * @param inverse by what differences of scores are multiplied before they become weights
     * @param minWeight tokens of less weight, relative to the largest, are left out
     * @param share the share, over 0 to 1
     * @param uniform a random number from 0 to below 1
     */
    int draw(float inverse, float minWeight, float share, double uniform) {
        weigh(inverse, minWeight);
        return drawNucleus(share * mass, uniform);
    }

    /**
     * Draws the same of all tokens of a row, of which these are the largest.
     *
     * @param sum weight of all tokens of the row
     * @return the token; {@link #ANOTHER} or {@link #UNDECIDED} if these are not enough, the latter before anything was drawn
     */
    int drawOfAll(float inverse, float minWeight, float share, double sum, RandomGenerator random) {
        weigh(inverse, minWeight);
        if (kept < size) { // nor has any other token the weight
            return drawNucleus(share * mass, random.nextDouble());
        }
        if (minWeight > 0 || (share < 1 && mass < share * sum)) {
            return UNDECIDED;
        }
        if (share < 1) {
            return drawNucleus(share * sum, random.nextDouble());
        }
        double target = random.nextDouble() * sum;
        return target < mass ? at(target) : ANOTHER;
    }

    /** Gives those a weight that have one, and no less than that. */
    private void weigh(float inverse, float minWeight) {
        if (weights.length < size) {
            weights = new float[size];
        }
        float max = score(0);
        mass = 0;
        for (kept = 0; kept < size; kept++) {
            float weight = FastExp.exp((score(kept) - max) * inverse);
            if (weight <= 0 || weight < minWeight) {
                return;
            }
            weights[kept] = weight;
            mass += weight;
        }
    }

    /** Draws from the fewest, at least one, that have so much weight. */
    private int drawNucleus(double wanted, double uniform) {
        double nucleus = 0;
        int taken = 0;
        while (taken < kept && nucleus < wanted) {
            nucleus += weights[taken++];
        }
        kept = taken;
        return at(uniform * nucleus);
    }

    /** The first token, of those kept, with which the sum of weights is over a target. */
    private int at(double target) {
        double seen = 0;
        for (int place = 0; place < kept; place++) {
            seen += weights[place];
            if (seen > target) {
                return token(place);
            }
        }
        return token(kept - 1); // rounding left the target a hair above the sum
    }

    private int token(int place) {
        return (int) entries[place];
    }

    private float score(int place) {
        int ordered = ~(int) (entries[place] >> 32);
        return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & Integer.MAX_VALUE));
    }
}
