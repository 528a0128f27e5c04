package dev.weir.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of Unicode code points, as ranges that neither touch nor overlap, in ascending order. Immutable; any thread.
 */
record CodePoints(List<Range> ranges) {
    static final int LAST = 0x10ffff;
    static final CodePoints ANY = of(0, LAST);

    /** From {@code from} to {@code to}, both included. */
    record Range(int from, int to) {}

    CodePoints {
        ranges = List.copyOf(ranges);
    }

    static CodePoints of(int from, int to) {
        return new CodePoints(List.of(new Range(from, to)));
    }

    static CodePoints of(int one) {
        return of(one, one);
    }

    /** Ranges given as pairs of characters, such as {@code "azAZ"}. */
    static CodePoints ofPairs(String pairs) {
        List<Range> ranges = new ArrayList<>();
        for (int i = 0; i < pairs.length(); i += 2) {
            ranges.add(new Range(pairs.charAt(i), pairs.charAt(i + 1)));
        }
        return union(ranges);
    }

    CodePoints or(CodePoints other) {
        List<Range> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        return union(all);
    }

    CodePoints not() {
        List<Range> gaps = new ArrayList<>();
        int next = 0;
        for (Range range : ranges) {
            if (range.from > next) {
                gaps.add(new Range(next, range.from - 1));
            }
            next = range.to + 1;
        }
        if (next <= LAST) {
            gaps.add(new Range(next, LAST));
        }
        return new CodePoints(gaps);
    }

    /** Those of both. */
    CodePoints and(CodePoints other) {
        return not().or(other.not()).not();
    }

    private static CodePoints union(List<Range> some) {
        List<Range> sorted = new ArrayList<>(some);
        sorted.sort(Comparator.comparingInt(Range::from));
        List<Range> merged = new ArrayList<>();
        for (Range range : sorted) {
            Range last = merged.isEmpty() ? null : merged.getLast();
            if (last != null && range.from <= last.to + 1) {
                merged.set(merged.size() - 1, new Range(last.from, Math.max(last.to, range.to)));
            } else {
                merged.add(range);
            }
        }
        return new CodePoints(merged);
    }
}
