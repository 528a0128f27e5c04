package dev.weir.train;

/**
 * What a run is asked to write with its best weights when it is done. Immutable; any thread.
 *
 * @param prompt what they continue, at least one character
 * @param count how many texts
 * @param tokens most tokens of each
 * @param seed of the first; the others have the numbers after it
 */
record SamplePlan(String prompt, int count, int tokens, long seed) {
    SamplePlan {
        if (count < 0 || tokens < 1) {
            throw new UserError(
                    "--samples is " + count + " and --sample-tokens " + tokens + ": they must be at least 0 and 1");
        }
        if (count > 0 && prompt.isEmpty()) {
            throw new UserError("--sample-prompt is empty: give at least one character");
        }
    }

    /** What is written on the way, at each validation. */
    ShortSample onTheWay() {
        return new ShortSample(prompt, count == 0 ? 0 : Math.min(tokens, ShortSample.MOST_TOKENS), seed);
    }
}
