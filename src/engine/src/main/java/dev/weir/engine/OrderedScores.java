package dev.weir.engine;

import java.util.Arrays;

/** The largest scores of a row in order, from which to draw. Owned by the engine thread, whose memory it reuses for every row. */
final class OrderedScores {
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
        double mass = 0;
        int taken = 0;
        while (taken < kept && mass < share * sum) {
            mass += weight(taken, max, inverse);
            taken++;
        }
        double seen = 0;
        for (int place = 0; place < taken; place++) {
            seen += weight(place, max, inverse);
            if (seen > uniform * mass) {
                return token(place);
            }
        }
        return token(taken - 1); // rounding left the target a hair above the sum
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
