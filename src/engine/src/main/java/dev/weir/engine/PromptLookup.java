package dev.weir.engine;

/**
 * Guesses how a text goes on by what followed the same words earlier in it, as prompt lookup decoding does (Saxena, 2023). The
 * guesses cost no model; a step that computes and scores them all says how far they hold, and the answer is the same with them and
 * without. One sequence's; owned by the engine thread.
 *
 * <p>A wrong guess costs time. So guesses grow while they hold, shrink to what held, and rest after none did, each time twice as
 * long.
 */
final class PromptLookup {
    /** Tokens that must have come before in the same order, the newest included. */
    private static final int LEAST_MATCH = 3;

    /** Beyond this a longer match says no more. */
    private static final int MOST_MATCH = 16;

    private static final int FIRST_GUESS = 3;
    private static final int LONGEST_REST = 64;

    private int guess = FIRST_GUESS;
    private int rest = 1;
    private int resting;

    /**
     * Writes guesses behind a text.
     *
     * @param tokens the text, with room for the guesses
     * @param length tokens of the text
     * @param most guesses at most
     * @return how many were written; 0 when nothing of the kind came before, or while it rests
     */
    int propose(int[] tokens, int length, int most) {
        if (resting > 0) {
            resting--;
            return 0;
        }
        int from = continuation(tokens, length);
        int count = from < 0 ? 0 : Math.min(Math.min(guess, most), tokens.length - length);
        for (int i = 0; i < count; i++) {
            tokens[length + i] = tokens[from + i]; // a text that repeats itself goes on into its own guesses
        }
        return count;
    }

    /** Where the text behind the longest earlier match of its end begins, of equals the latest; -1 if none is long enough. */
    private static int continuation(int[] tokens, int length) {
        int best = LEAST_MATCH - 1;
        int found = -1;
        for (int end = length - 1; end >= LEAST_MATCH && best < MOST_MATCH; end--) {
            int match = 0;
            while (match < MOST_MATCH && match < end && tokens[end - 1 - match] == tokens[length - 1 - match]) {
                match++;
            }
            if (match > best) {
                best = match;
                found = end;
            }
        }
        return found;
    }

    /** Learns how many of the proposed guesses held. */
    void judged(int proposed, int held) {
        if (held == 0) {
            guess = FIRST_GUESS;
            resting = rest;
            rest = Math.min(2 * rest, LONGEST_REST);
        } else {
            guess = held == proposed ? 2 * Math.max(guess, held) : held;
            rest = 1;
        }
    }
}
