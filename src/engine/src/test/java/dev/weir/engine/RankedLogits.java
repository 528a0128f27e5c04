package dev.weir.engine;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Logits as a device gives them: some of the largest of each row at hand, in order, sums of weights if it adds them up, and
 * whole rows only where they are loaded. Notes which those are, and which are read. Loaded by one thread, read by any.
 */
final class RankedLogits implements Logits {
    final Set<Integer> loaded = new HashSet<>();
    final Set<Integer> read = ConcurrentHashMap.newKeySet();
    final AtomicInteger reads = new AtomicInteger();

    private final Logits all;
    private final int ranked;
    private final boolean addsUp;
    private final Map<Integer, Row> rows = new ConcurrentHashMap<>();

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Row(float[] scores, Integer[] order) {}

    /** As many of the largest of each row of {@code all}. */
    RankedLogits(Logits all, int ranked, boolean addsUp) {
        this.all = all;
        this.ranked = ranked;
        this.addsUp = addsUp;
    }

    private Row row(int number) {
        return rows.computeIfAbsent(number, _ -> {
            float[] scores = new float[vocabularySize()];
            all.read(number, scores);
            Integer[] order = new Integer[scores.length];
            Arrays.setAll(order, i -> i);
            Arrays.sort(order, (a, b) -> scores[a] != scores[b] ? Float.compare(scores[b], scores[a]) : a - b);
            return new Row(scores, order);
        });
    }

    @Override
    public int vocabularySize() {
        return all.vocabularySize();
    }

    @Override
    public void load(int[] numbers, int count) {
        Arrays.stream(numbers).limit(count).forEach(loaded::add);
    }

    @Override
    public void read(int number, float[] scores) {
        if (!loaded.contains(number)) {
            throw new AssertionError("the whole row " + number + " is read, which is not loaded");
        }
        read.add(number);
        reads.incrementAndGet();
        all.read(number, scores);
    }

    @Override
    public boolean addsUp() {
        return addsUp;
    }

    @Override
    public void sum(int[] numbers, float[] inverses, int count, float[] sums) {
        for (int i = 0; i < count; i++) {
            float[] scores = row(numbers[i]).scores;
            double sum = 0;
            for (float score : scores) {
                sum += Math.exp((score - rankedScore(numbers[i], 0)) * inverses[i]);
            }
            sums[i] = (float) sum;
        }
    }

    @Override
    public int ranked() {
        return ranked;
    }

    @Override
    public int rankedToken(int number, int rank) {
        return row(number).order[rank];
    }

    @Override
    public float rankedScore(int number, int rank) {
        return row(number).scores[rankedToken(number, rank)];
    }
}
