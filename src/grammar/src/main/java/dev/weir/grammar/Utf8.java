package dev.weir.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Ranges of code points as expressions over their UTF-8 bytes (RFC 3629). Static functions. */
final class Utf8 {
    private static final int FIRST_SURROGATE = 0xd800;
    private static final int LAST_SURROGATE = 0xdfff;
    /** The last code points of one, two, three and four bytes. */
    private static final int[] LAST_OF_LENGTH = {0x7f, 0x7ff, 0xffff, 0x10ffff};

    private Utf8() {}

    /** Any code point from {@code from} to {@code to}, both included; surrogates have no bytes and are left out. */
    static Expression range(Expressions make, int from, int to) {
        List<Expression> options = new ArrayList<>();
        int start = from;
        for (int last : LAST_OF_LENGTH) {
            int end = Math.min(to, last);
            if (start <= end) {
                addWithoutSurrogates(make, start, end, options);
                start = end + 1;
            }
        }
        return make.choice(options);
    }

    private static void addWithoutSurrogates(Expressions make, int from, int to, List<Expression> options) {
        if (from < FIRST_SURROGATE && to >= FIRST_SURROGATE) {
            addOfOneLength(make, from, FIRST_SURROGATE - 1, options);
        } else if (to < FIRST_SURROGATE || from > LAST_SURROGATE) {
            addOfOneLength(make, from, to, options);
            return;
        }
        if (to > LAST_SURROGATE) {
            addOfOneLength(make, Math.max(from, LAST_SURROGATE + 1), to, options);
        }
    }

    private static void addOfOneLength(Expressions make, int from, int to, List<Expression> options) {
        options.add(between(make, bytes(from), bytes(to), 0));
    }

    private static byte[] bytes(int codePoint) {
        return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
    }

    /** Byte strings of one length from {@code low} to {@code high}, of which only the bytes from {@code at} on are looked at. */
    private static Expression between(Expressions make, byte[] low, byte[] high, int at) {
        int first = low[at] & 0xff;
        int last = high[at] & 0xff;
        if (at == low.length - 1) {
            return make.range(first, last);
        }
        if (first == last) {
            return make.sequence(make.range(first, first), between(make, low, high, at + 1));
        }
        Expression any = make.repeat(make.range(0x80, 0xbf), low.length - at - 1, low.length - at - 1);
        return make.choice(
                make.sequence(make.range(first, first), between(make, low, filled(low, at, 0xbf), at + 1)),
                make.sequence(make.range(first + 1, last - 1), any),
                make.sequence(make.range(last, last), between(make, filled(high, at, 0x80), high, at + 1)));
    }

    private static byte[] filled(byte[] bytes, int at, int value) {
        byte[] copy = bytes.clone();
        for (int i = at + 1; i < copy.length; i++) {
            copy[i] = (byte) value;
        }
        return copy;
    }
}
