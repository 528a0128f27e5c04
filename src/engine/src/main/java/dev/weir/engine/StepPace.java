package dev.weir.engine;

/**
 * How long chunks of prompts and decode rows take, learned from the steps of late: so many tokens of long prompts may a step compute
 * without holding up those that decode. Owned by the engine thread.
 */
final class StepPace {
    /** Weight of the latest step. */
    private static final double NEWEST = 0.25;

    private double nanosPerToken;
    private double decodeNanos;
    private double rowsDecoded;

    /**
     * Takes note of a step.
     *
     * @param prefillTokens prompt tokens that it computed
     * @param decodeRows rows that it decoded, if it computed no prompt tokens
     */
    void observe(int prefillTokens, int decodeRows, long stepNanos) {
        if (prefillTokens > 0) {
            nanosPerToken = average(nanosPerToken, (double) stepNanos / prefillTokens);
        } else if (decodeRows > 0) {
            decodeNanos = average(decodeNanos, (double) stepNanos);
            rowsDecoded = average(rowsDecoded, decodeRows);
        }
    }

    private static double average(double before, double newest) {
        return before == 0 ? newest : before + NEWEST * (newest - before);
    }

    /** What a decode row takes among as many as there were lately; 0 as long as that is not known. */
    double nanosPerRow() {
        return rowsDecoded <= 0 ? 0 : decodeNanos / rowsDecoded;
    }

    /** Tokens with which a step takes {@code stretch} times as long as its decode rows alone; any number as long as nothing is known. */
    int tokens(double stretch) {
        return nanosPerToken <= 0 || decodeNanos <= 0
                ? Integer.MAX_VALUE
                : (int) Math.min(Integer.MAX_VALUE, (stretch - 1) * decodeNanos / nanosPerToken);
    }
}
