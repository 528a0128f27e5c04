package dev.weir.tokenizer;

import java.util.Arrays;

/**
 * The merge rules of a BPE model: a pair of ids gives the rule's rank and the id it makes. An open-addressing table over
 * primitive longs, since one look-up per pair of symbols is what encoding spends its time on. Filled before it is shared,
 * then read by any thread.
 */
final class MergeTable {
    /** No rule: larger than every rule, so that a search for the smallest passes over it. */
    static final long NONE = Long.MAX_VALUE;

    private static final long EMPTY = -1;

    private final long[] pairs;
    private final long[] rules; // rank in the high half, id made in the low half
    private final int shift;

    MergeTable(int count) {
        int bits = 64 - Long.numberOfLeadingZeros(Math.max(count, 8) * 2L - 1);
        pairs = new long[1 << bits];
        Arrays.fill(pairs, EMPTY);
        rules = new long[pairs.length];
        shift = 64 - bits;
    }

    /** Adds a rule; of two rules for one pair the later one counts. */
    void put(int left, int right, int rank, int made) {
        int slot = slot(pair(left, right));
        pairs[slot] = pair(left, right);
        rules[slot] = ((long) rank << 32) | made;
    }

    /** The rule for a pair, ordered by rank, or {@link #NONE}. */
    long rule(int left, int right) {
        int slot = slot(pair(left, right));
        return pairs[slot] == EMPTY ? NONE : rules[slot];
    }

    static int rank(long rule) {
        return (int) (rule >>> 32);
    }

    static int made(long rule) {
        return (int) rule;
    }

    private static long pair(int left, int right) {
        return ((long) left << 32) | right;
    }

    private int slot(long pair) {
        int slot = (int) ((pair * 0x9E3779B97F4A7C15L) >>> shift);
        while (pairs[slot] != EMPTY && pairs[slot] != pair) {
            slot = (slot + 1) & (pairs.length - 1);
        }
        return slot;
    }
}
