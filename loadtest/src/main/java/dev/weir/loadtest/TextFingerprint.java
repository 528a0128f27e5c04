package dev.weir.loadtest;

/**
 * A stand-in for a text that is cheap to keep, to append to and to compare: its length in UTF-16 units and a polynomial
 * hash modulo 2^64. The fingerprint of a concatenation follows from those of its parts, which is what lets the deltas
 * of an answer be compared with its final text without keeping either. Owner: whoever made it.
 */
final class TextFingerprint {

    private static final long BASE = 0x9E3779B97F4A7C15L;

    private long hash;
    private long power = 1;
    private int length;

    void clear() {
        hash = 0;
        power = 1;
        length = 0;
    }

    void append(char[] text, int offset, int count) {
        long h = hash;
        long p = power;
        for (int i = offset; i < offset + count; i++) {
            h = h * BASE + text[i] + 1;
            p *= BASE;
        }
        hash = h;
        power = p;
        length += count;
    }

    void append(TextFingerprint other) {
        hash = hash * other.power + other.hash;
        power *= other.power;
        length += other.length;
    }

    int length() {
        return length;
    }

    boolean sameAs(TextFingerprint other) {
        return hash == other.hash && length == other.length;
    }
}
