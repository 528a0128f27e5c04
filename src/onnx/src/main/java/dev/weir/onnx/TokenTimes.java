package dev.weir.onnx;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * When the tokens of sequences that were generated together arrived. Immutable; any thread.
 *
 * @param newTokens tokens that each sequence was asked for, and has
 * @param time from the start to the end of all
 * @param arrivals nanoseconds from the start to each token that was seen to arrive, by sequence; a peer that streams text may
 *     show two tokens as one, where the first ends within a character
 */
@SuppressWarnings("ArrayRecordComponent") // thousands of times, read and never compared
public record TokenTimes(int newTokens, Duration time, long[][] arrivals) {
    static TokenTimes of(long nanos, long[][] arrivals, int[] counts) {
        long[][] seen = new long[arrivals.length][];
        for (int sequence = 0; sequence < seen.length; sequence++) {
            if (counts[sequence] == 0) {
                throw new IllegalStateException("sequence " + sequence + " has no token");
            }
            seen[sequence] = Arrays.copyOf(arrivals[sequence], counts[sequence]);
        }
        return new TokenTimes(arrivals[0].length, Duration.ofNanos(nanos), seen);
    }

    public int sequences() {
        return arrivals.length;
    }

    /** Generated tokens of all sequences over the whole time. */
    public double tokensPerSecond() {
        return (double) sequences() * newTokens * 1e9 / time.toNanos();
    }

    /** Nanoseconds from the start to the first token of each sequence. */
    public LongStream firstTokens() {
        return Arrays.stream(arrivals).mapToLong(times -> times[0]);
    }

    /** Nanoseconds between neighbouring tokens, of all sequences. */
    public LongStream gaps() {
        return Arrays.stream(arrivals)
                .flatMapToLong(times -> IntStream.range(1, times.length).mapToLong(i -> times[i] - times[i - 1]));
    }
}
