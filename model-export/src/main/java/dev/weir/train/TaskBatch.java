package dev.weir.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Examples for one pass through a model: their sequences below each other, the shorter ones padded at their end, where nothing
 * of them looks. Immutable by contract; any thread.
 *
 * @param examples in order
 * @param ids [sequences, length], row-major
 * @param last for each sequence the place of its last token in {@code ids}
 * @param before the places of all tokens that have a successor in their sequence
 * @param next the id of the successor of each of those
 */
@SuppressWarnings("ArrayRecordComponent") // on its way to a tensor, never compared
record TaskBatch(
        List<TaskExample> examples, long[] ids, int sequences, int length, long[] last, long[] before, long[] next) {
    /** A batch of these examples. */
    static TaskBatch of(List<TaskExample> examples) {
        int sequences = 0;
        int length = 0;
        int tokens = 0;
        for (TaskExample example : examples) {
            for (int[] sequence : example.sequences()) {
                sequences++;
                length = Math.max(length, sequence.length);
                tokens += sequence.length;
            }
        }
        long[] ids = new long[sequences * length];
        long[] last = new long[sequences];
        long[] before = new long[tokens - sequences];
        long[] next = new long[tokens - sequences];
        int row = 0;
        int pair = 0;
        for (TaskExample example : examples) {
            for (int[] sequence : example.sequences()) {
                int start = row * length;
                for (int i = 0; i < sequence.length; i++) {
                    ids[start + i] = sequence[i];
                    if (i + 1 < sequence.length) {
                        before[pair] = (long) start + i;
                        next[pair] = sequence[i + 1];
                        pair++;
                    }
                }
                last[row] = start + sequence.length - 1L;
                row++;
            }
        }
        return new TaskBatch(examples, ids, sequences, length, last, before, next);
    }

    /**
     * Batches of the examples, the longest first, so that those of a batch have about one length.
     *
     * @param most most tokens of a batch, padding included; an example that is longer has a batch of its own
     */
    static List<TaskBatch> of(List<TaskExample> examples, int most) {
        List<TaskExample> longestFirst = new ArrayList<>(examples);
        longestFirst.sort(Comparator.comparingInt(TaskExample::longest).reversed());
        List<TaskBatch> batches = new ArrayList<>();
        List<TaskExample> group = new ArrayList<>();
        int sequences = 0;
        for (TaskExample example : longestFirst) {
            int more = sequences + example.sequences().length;
            if (!group.isEmpty() && (long) more * group.getFirst().longest() > most) {
                batches.add(of(List.copyOf(group)));
                group.clear();
                more = example.sequences().length;
            }
            group.add(example);
            sequences = more;
        }
        if (!group.isEmpty()) {
            batches.add(of(List.copyOf(group)));
        }
        return batches;
    }

    /** How many tokens the sequences have, without padding. */
    int tokens() {
        return before.length + sequences;
    }
}
