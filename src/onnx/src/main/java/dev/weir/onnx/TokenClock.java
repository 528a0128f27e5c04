package dev.weir.onnx;

/**
 * Notes when the tokens of sequences that are generated together arrive. Starts when it is made. Each sequence's tokens are
 * noted by one thread; whoever stops the clock does so after all of them are done.
 */
public final class TokenClock {
    private final long start;
    private final long[][] arrivals;
    private final int[] counts;

    /**
     * @param sequences sequences that are generated together
     * @param newTokens tokens of each
     */
    public TokenClock(int sequences, int newTokens) {
        arrivals = new long[sequences][newTokens];
        counts = new int[sequences];
        start = System.nanoTime();
    }

    /** The next token of a sequence is there. */
    public void arrived(int sequence) {
        int count = counts[sequence];
        if (count == arrivals[sequence].length) {
            throw new IllegalStateException(
                    "sequence " + sequence + " has more than the " + count + " tokens asked for");
        }
        arrivals[sequence][count] = System.nanoTime() - start;
        counts[sequence] = count + 1;
    }

    /** All tokens are there. */
    public TokenTimes stop() {
        return TokenTimes.of(System.nanoTime() - start, arrivals, counts);
    }
}
