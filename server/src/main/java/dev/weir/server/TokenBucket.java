package dev.weir.server;

/**
 * A token bucket: what may still be taken of an allowance that grows with time up to a minute's worth (Turner, 1986).
 * Immutable; time is a parameter, so that the arithmetic is exact and can be told as a table.
 *
 * @param level what is in it, in parts of which {@value #PARTS} make one: an allowance of n a minute grows by n parts in a
 *     millisecond, without rounding
 * @param millis when that was so, on any clock that does not go back
 */
record TokenBucket(long level, long millis) {
    /** Parts of one: the milliseconds of a minute. */
    static final int PARTS = 60_000;

    /** Holds as much as any allowance fills it with. */
    static final TokenBucket FULL = new TokenBucket(Long.MAX_VALUE, Long.MIN_VALUE / 2);

    /** The same bucket later. */
    TokenBucket refill(int perMinute, long nowMillis) {
        long capacity = (long) perMinute * PARTS;
        long elapsed = Math.clamp(nowMillis - millis, 0, PARTS);
        long grown = level >= capacity ? capacity : Math.min(capacity, level + elapsed * perMinute);
        return new TokenBucket(grown, Math.max(millis, nowMillis));
    }

    /** Whole ones that may be taken now. */
    int remaining() {
        return (int) Math.min(Integer.MAX_VALUE, level / PARTS);
    }

    TokenBucket take(int amount) {
        return new TokenBucket(level - (long) amount * PARTS, millis);
    }

    /** Gives back what was taken and not used. */
    TokenBucket give(int amount) {
        return new TokenBucket(level + (long) amount * PARTS, millis);
    }

    /** Milliseconds until an amount may be taken, 0 if it may be now. An amount above a minute's worth never may. */
    long millisUntil(int amount, int perMinute) {
        long missing = Math.max(0, (long) amount * PARTS - level);
        return Math.ceilDiv(missing, perMinute);
    }
}
