package dev.weir.grammar;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whole numbers within bounds, as decimal digits. Static functions. */
final class WholeNumbers {
    /** What all readers of JSON keep exactly. */
    private static final long MOST = 999_999_999_999_999L;

    private WholeNumbers() {}

    /** Those from {@code min} to {@code max}, both included; null stands for the largest of 15 digits. */
    static Expression between(Expressions make, @Nullable Long min, @Nullable Long max) {
        long low = min == null ? -MOST : min;
        long high = max == null ? MOST : max;
        List<Expression> options = new ArrayList<>();
        if (low < 0) {
            long nearest = Math.max(1, -high);
            options.add(make.sequence(make.text("-"), positive(make, nearest, -low)));
        }
        if (high >= 0) {
            options.add(positive(make, Math.max(0, low), high));
        }
        return make.choice(options);
    }

    /** Digits without leading zeros, from {@code low} of 0 or more. */
    private static Expression positive(Expressions make, long low, long high) {
        List<Expression> options = new ArrayList<>();
        long from = low;
        while (from <= high) {
            int digits = Long.toString(from).length();
            long longest = power(digits) - 1;
            long to = Math.min(high, longest);
            options.add(ofOneLength(make, Long.toString(from), Long.toString(to), 0));
            from = to + 1;
        }
        return make.choice(options);
    }

    private static long power(int exponent) {
        long power = 1;
        for (int i = 0; i < exponent; i++) {
            power *= 10;
        }
        return power;
    }

    private static Expression ofOneLength(Expressions make, String low, String high, int at) {
        if (at == low.length()) {
            return make.empty;
        }
        char first = low.charAt(at);
        char last = high.charAt(at);
        int left = low.length() - at - 1;
        if (first == last) {
            return make.sequence(make.range(first, first), ofOneLength(make, low, high, at + 1));
        }
        String nines = low.substring(0, at + 1) + "9".repeat(left);
        String zeros = high.substring(0, at + 1) + "0".repeat(left);
        return make.choice(
                make.sequence(make.range(first, first), ofOneLength(make, low, nines, at + 1)),
                make.sequence(make.range(first + 1, last - 1), make.repeat(make.range('0', '9'), left, left)),
                make.sequence(make.range(last, last), ofOneLength(make, zeros, high, at + 1)));
    }
}
