package dev.weir.tokenizer;

import java.util.Arrays;

/**
 * Applies merge rules to one word at a time (Sennrich et al. 2016). Owned by one call; its buffers are used again for
 * every word of that call.
 *
 * <p>The rule with the lowest rank goes first and, where it fits in several places, the leftmost place. A short word is
 * searched for it again after each merge, which is quadratic in the length and fastest for the few bytes of a usual word. A
 * long word (one letter repeated, text without spaces) keeps its symbols in a linked list and its candidate merges in a
 * heap, so that n bytes cost O(n log n). Candidates are not removed when a neighbour's merge spoils them: they are checked
 * when they come up.
 */
final class Merger {
    /** From this many symbols on the heap is used. */
    static final int LONG_WORD = 96;

    private final MergeTable table;
    private final long[] rules = new long[LONG_WORD];
    private int[] previous = new int[0];
    private int[] next = new int[0];
    private long[] heap = new long[0]; // rank in the high half, place in the low half
    private int heapSize;

    Merger(MergeTable table) {
        this.table = table;
    }

    /** Merges {@code symbols[0, count)} in place and returns how many are left. */
    int merge(int[] symbols, int count) {
        return count < LONG_WORD ? mergeShort(symbols, count) : mergeLong(symbols, count);
    }

    int mergeShort(int[] symbols, int count) {
        for (int i = 0; i + 1 < count; i++) {
            rules[i] = table.rule(symbols[i], symbols[i + 1]);
        }
        int left = count;
        while (left > 1) {
            long best = MergeTable.NONE;
            int place = 0;
            for (int i = 0; i + 1 < left; i++) {
                if (rules[i] < best) {
                    best = rules[i];
                    place = i;
                }
            }
            if (best == MergeTable.NONE) {
                break;
            }
            symbols[place] = MergeTable.made(best);
            System.arraycopy(symbols, place + 2, symbols, place + 1, left - place - 2);
            if (place + 2 < left) {
                System.arraycopy(rules, place + 2, rules, place + 1, left - place - 3);
            }
            left--;
            if (place > 0) {
                rules[place - 1] = table.rule(symbols[place - 1], symbols[place]);
            }
            if (place + 1 < left) {
                rules[place] = table.rule(symbols[place], symbols[place + 1]);
            }
        }
        return left;
    }

    int mergeLong(int[] symbols, int count) {
        if (previous.length < count) {
            previous = new int[count];
            next = new int[count];
        }
        for (int i = 0; i < count; i++) {
            previous[i] = i - 1;
            next[i] = i + 1;
        }
        heapSize = 0;
        for (int i = 0; i + 1 < count; i++) {
            offer(symbols, i, i + 1);
        }
        while (heapSize > 0) {
            long candidate = poll();
            int place = (int) candidate;
            int right = next[place];
            if (symbols[place] < 0 || right >= count) {
                continue;
            }
            long rule = table.rule(symbols[place], symbols[right]);
            if (rule == MergeTable.NONE || MergeTable.rank(rule) != (int) (candidate >>> 32)) {
                continue;
            }
            symbols[place] = MergeTable.made(rule);
            symbols[right] = -1;
            next[place] = next[right];
            if (next[place] < count) {
                previous[next[place]] = place;
                offer(symbols, place, next[place]);
            }
            if (previous[place] >= 0) {
                offer(symbols, previous[place], place);
            }
        }
        int left = 0;
        for (int i = 0; i < count; i = next[i]) {
            symbols[left++] = symbols[i];
        }
        return left;
    }

    private void offer(int[] symbols, int place, int right) {
        long rule = table.rule(symbols[place], symbols[right]);
        if (rule == MergeTable.NONE) {
            return;
        }
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, Math.max(256, heap.length * 2));
        }
        long candidate = (rule & 0xFFFF_FFFF_0000_0000L) | place;
        int child = heapSize++;
        while (child > 0) {
            int parent = (child - 1) >>> 1;
            if (heap[parent] <= candidate) {
                break;
            }
            heap[child] = heap[parent];
            child = parent;
        }
        heap[child] = candidate;
    }

    private long poll() {
        long first = heap[0];
        long last = heap[--heapSize];
        int parent = 0;
        while (true) {
            int child = 2 * parent + 1;
            if (child >= heapSize) {
                break;
            }
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (last <= heap[child]) {
                break;
            }
            heap[parent] = heap[child];
            parent = child;
        }
        heap[parent] = last;
        return first;
    }
}
