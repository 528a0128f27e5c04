package dev.weir.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/** The order in which a run sees its examples, which depends on its seed alone. Static functions; any thread. */
final class EpochOrder {
    /** Most batches that are made of one stretch of shuffled examples. */
    private static final int MOST_BATCHES = 32;
    /** Fewest stretches of an epoch, so that not always the same examples come together. */
    private static final int LEAST_STRETCHES = 8;

    private EpochOrder() {}

    /**
     * The batches of an epoch: each example once, those of a batch of similar length where there are many, in random order. One
     * batch may be smaller.
     */
    static <T> List<List<T>> batches(List<T> examples, ToIntFunction<T> length, int batch, long seed, int epoch) {
        SplittableRandom random = new SplittableRandom(Seeds.mix(seed, -1L - epoch));
        List<T> shuffled = new ArrayList<>(examples);
        shuffle(shuffled, random);
        int count = steps(examples.size(), batch);
        int stretch = Math.max(1, Math.min(MOST_BATCHES, count / LEAST_STRETCHES)) * batch;
        List<List<T>> batches = new ArrayList<>();
        for (int start = 0; start < shuffled.size(); start += stretch) {
            List<T> part = shuffled.subList(start, Math.min(start + stretch, shuffled.size()));
            if (stretch > batch) {
                part.sort(Comparator.comparingInt(length));
            }
            for (int first = 0; first < part.size(); first += batch) {
                batches.add(List.copyOf(part.subList(first, Math.min(first + batch, part.size()))));
            }
        }
        shuffle(batches, random);
        return batches;
    }

    /** How many batches an epoch has. */
    static int steps(int examples, int batch) {
        return (examples + batch - 1) / batch;
    }

    private static <T> void shuffle(List<T> list, SplittableRandom random) {
        for (int i = list.size() - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            T moved = list.get(i);
            list.set(i, list.get(other));
            list.set(other, moved);
        }
    }
}
