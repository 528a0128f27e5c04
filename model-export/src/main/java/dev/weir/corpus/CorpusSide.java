package dev.weir.corpus;

import dev.weir.train.Seeds;

/**
 * The two sides of the corpus: what is trained on, and what is held out to test with. A hash of the value alone decides, so
 * that the sides share nothing whatever the seed and the size.
 */
enum CorpusSide {
    TRAINING,
    HELD_OUT;

    /** One value in so many is held out. */
    static final int ONE_IN = 9;

    /**
     * Whether a value belongs to this side.
     *
     * @param domain what kind of value it is: the same word may be held out of one exercise and trained in another
     */
    boolean admits(String domain, String value) {
        return isHeldOut(domain, value) == (this == HELD_OUT);
    }

    static boolean isHeldOut(String domain, String value) {
        return rank(domain, value) % ONE_IN == 0;
    }

    /** A number of the value that differs from machine to machine in nothing: FNV-1a, then {@link Seeds}'s mixing. */
    static long rank(String domain, String value) {
        long hash = 0xcbf29ce484222325L;
        String key = domain + '\n' + value;
        for (int i = 0; i < key.length(); i++) {
            hash = (hash ^ key.charAt(i)) * 0x100000001b3L;
        }
        return Seeds.mix(hash, 0) >>> 1;
    }

    /** Whether a sum or a difference belongs to this side; both orders of the two numbers are one value. */
    boolean admitsPair(int one, int other) {
        return admits("pair", Math.min(one, other) + " " + Math.max(one, other));
    }
}
