package dev.weir.corpus;

import dev.weir.train.Seeds;
import java.util.Collections;
import java.util.List;

/**
 * The random choices of one document, which are the same on every machine: draws of {@link Seeds} in order. Owned by one
 * thread.
 */
final class CorpusRandom {
    private final long seed;
    private long drawn;

    CorpusRandom(long seed) {
        this.seed = seed;
    }

    /** A whole number from 0 up to but without {@code bound}. */
    int below(int bound) {
        long bits = Seeds.mix(seed, drawn++) >>> 32;
        return (int) ((bits * bound) >>> 32);
    }

    /** A whole number from {@code least} to {@code most}, both included. */
    int between(int least, int most) {
        return least + below(most - least + 1);
    }

    /** True in {@code percent} of a hundred draws. */
    boolean chance(int percent) {
        return below(100) < percent;
    }

    <T> T of(List<T> choices) {
        return choices.get(below(choices.size()));
    }

    /** Puts a list in random order. */
    void shuffle(List<?> list) {
        for (int i = list.size() - 1; i > 0; i--) {
            Collections.swap(list, i, below(i + 1));
        }
    }

    /** A place in {@code weights}, each as likely as its weight. */
    int weighted(int... weights) {
        int total = 0;
        for (int weight : weights) {
            total += weight;
        }
        int left = below(total);
        int place = 0;
        while (left >= weights[place]) {
            left -= weights[place++];
        }
        return place;
    }
}
