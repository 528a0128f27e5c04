package dev.weir.engine;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** The largest scores of a row in order, from which to draw. Owned by the engine thread, whose memory it reuses for every row. */
final class OrderedScores {
    /** The token is one of those that are not here. */
    static final int ANOTHER = -2;
    /** Which tokens may be drawn is not known from those that are here. */
    static final int UNDECIDED = -3;

    /** Scores with their tokens, the largest score first and of equals the lowest token. */
    private final long[] entries;

    private int size;

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
        int kept = kept(inverse, minWeight);
        return drawNucleus(inverse, kept, share * mass(inverse, kept), uniform);
    }

    /**
     * Draws the same of all tokens of a row, of which these are the largest.
     *
     * @param sum weight of all tokens of the row
     * @return the token; {@link #ANOTHER} or {@link #UNDECIDED} if these are not enough, the latter before anything was drawn
     */
    int drawOfAll(float inverse, float minWeight, float share, double sum, RandomGenerator random) {
        int kept = kept(inverse, minWeight);
        double mass = mass(inverse, kept);
        if (kept < size) { // nor has any other token the weight
            return drawNucleus(inverse, kept, share * mass, random.nextDouble());
        }
        if (minWeight > 0 || (share < 1 && mass < share * sum)) {
            return UNDECIDED;
        }
        if (share < 1) {
            return drawNucleus(inverse, kept, share * sum, random.nextDouble());
        }
        double target = random.nextDouble() * sum;
        return target < mass ? at(inverse, kept, target) : ANOTHER;
    }

    /** Those of some weight, and no less than that. */
    private int kept(float inverse, float minWeight) {
        float max = score(0);
        int kept = 0;
        while (kept < size) {
            float weight = weight(kept, max, inverse);
            if (weight <= 0 || weight < minWeight) {
                break;
            }
            kept++;
        }
        return kept;
    }

    private double mass(float inverse, int count) {
        float max = score(0);
        double mass = 0;
        for (int place = 0; place < count; place++) {
            mass += weight(place, max, inverse);
        }
        return mass;
    }

    /** Draws from the fewest, at least one, that have so much weight. */
    private int drawNucleus(float inverse, int kept, double wanted, double uniform) {
        float max = score(0);
        double mass = 0;
        int taken = 0;
        while (taken < kept && mass < wanted) {
            mass += weight(taken, max, inverse);
            taken++;
        }
        return at(inverse, taken, uniform * mass);
    }

    /** The first token, of so many, with which the sum of weights is over a target. */
    private int at(float inverse, int count, double target) {
        float max = score(0);
        double seen = 0;
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

    private int token(int place) {
        return (int) entries[place];
    }

    private float score(int place) {
        int ordered = ~(int) (entries[place] >> 32);
        return Float.intBitsToFloat(ordered ^ ((ordered >> 31) & Integer.MAX_VALUE));
    }
}
