package dev.weir.engine;

/** The arithmetic of scheduling: pure functions of numbers, without model, clock or thread. */
final class SchedulingPolicy {
    /**
     * Cached tokens whose copy to another slot takes about as long as one idle decode row. An estimate; a wrong value costs
     * time, never correctness.
     */
    static final int TOKENS_COPIED_PER_IDLE_ROW = 64;

    /** Tokens of the smallest piece of a chunk. */
    static final int PIECE = 8;

    /** A step with a piece of a long prompt takes so many times as long as without it. */
    private static final double LEAST_STRETCH = 1.3;

    /** Several prompts of a tenant that holds more than its share make others wait for no longer than so many times the rows. */
    static final double TENANT_STRETCH = 2;

    /** Work that may be done twice: one part in so many, */
    private static final int LOST_PART = 20;

    /** and so much after a time without. */
    static final long MOST_LOST_NANOS = 500_000_000;

    /** One slot of so many is kept. */
    private static final int RESERVED = 16;

    /** Rows that make good use of the weights that a step reads: twice as many are decoded little faster. */
    static final int FULL_BATCH = 64;

    /** Rows that take longer make somebody wait who has just come. */
    private static final double LONG_STEP_NANOS = 50e6;

    private SchedulingPolicy() {}

    /** Length of the chunk that starts at {@code start}: up to the next multiple of {@code chunk} or the prompt's end. */
    static int chunkLength(int start, int promptTokens, int chunk) {
        return Math.min(promptTokens - start, chunk - start % chunk);
    }

    /**
     * Length of the piece of a chunk that starts at {@code start}: at most about {@code most} tokens, ending at a multiple of
     * {@value #PIECE}. A piece is never a single token unless the whole chunk is, as a model may compute a single token
     * otherwise than several.
     */
    static int pieceLength(int start, int promptTokens, int chunk, int most) {
        int whole = chunkLength(start, promptTokens, chunk);
        if (whole <= most) {
            return whole;
        }
        int end = Math.max(start + most - (start + most) % PIECE, start + PIECE - start % PIECE);
        int left = start + whole - end;
        return left <= 1 ? whole : end - start;
    }

    /**
     * How much longer than its decode rows a step may take because of long prompts: little while few wait for theirs and many
     * decode, without end once half of all do not decode.
     *
     * @param prefilling sequences with a slot whose long prompt is not computed
     * @param running sequences with a slot
     */
    static double stretch(int prefilling, int running) {
        double share = (double) prefilling / Math.max(1, running);
        if (share >= 0.5) {
            return Double.POSITIVE_INFINITY;
        }
        return share <= 0.25 ? LEAST_STRETCH : LEAST_STRETCH / (2 - 4 * share);
    }

    /**
     * Whether one more chunk fits this step. The first chunk always does, so that a prompt makes progress however small
     * the budget is.
     *
     * @param budgetLeft tokens that the step may still compute
     * @param plannedChunks chunks already in the step
     */
    static boolean chunkFits(int chunkLength, int budgetLeft, int plannedChunks, int maxChunks) {
        return plannedChunks == 0 || (plannedChunks < maxChunks && chunkLength <= budgetLeft);
    }

    /**
     * How many of the cached tokens at the start of a text may be taken over.
     *
     * <p>They end at a block, so what follows is cut into chunks where it would be without them. A model that computes a
     * single token otherwise than several, in the last bit, must not be given a single one where it would be several: then
     * one block less is taken.
     *
     * @param cached tokens that the cache holds, in whole blocks
     * @param most tokens that may be taken over at most
     * @param end where the last chunk ends
     * @param chunk tokens of a chunk
     */
    static int reusableTokens(int cached, int most, int end, int chunk, PrefixPool pool) {
        int reusable = Math.min(cached, most - most % pool.blockTokens());
        boolean leavesOneOfSeveral = reusable % chunk > 0 && end - reusable == 1;
        return leavesOneOfSeveral && !pool.decodesLikePrefill() ? reusable - pool.blockTokens() : reusable;
    }

    /**
     * Blocks that a step copies at most, each way. A token is copied in less than a hundredth of the time in which it is
     * computed, so such a step is held up by little; and blocks are saved faster than they are computed.
     */
    static int blockCopies(int tokenBudget, int blockTokens) {
        return Math.max(1, 2 * tokenBudget / blockTokens);
    }

    /**
     * Whether the sequence in the highest decode row should move into a free slot below. Idle rows are paid for until
     * they have cost as much as the copy would (the ski-rental rule, at most twice the best choice in hindsight), since
     * in a busy server the next request fills the hole a moment later for nothing.
     *
     * @param idleRowSteps idle rows computed since the last move, summed over steps
     * @param cachedTokens tokens to copy
     * @param remainingTokens steps that the sequence may still take
     */
    static boolean movePays(int idleRowSteps, int cachedTokens, int remainingTokens) {
        int cost = moveCost(cachedTokens);
        return idleRowSteps >= cost && remainingTokens > cost;
    }

    /**
     * Whether a tenant may take a free slot. While several ask, who holds its share of all slots already takes more only of those that
     * make no step {@linkplain #quickSlots long}, and not the last sixteenth of these, which is kept as telephone exchanges keep
     * trunks: a flood leaves others something at once, where a slot may be long in coming free.
     *
     * @param used slots that somebody holds
     * @param slots all of them
     * @param quick those that make no step long
     * @param held slots that the tenant holds
     * @param tenants tenants that have asked lately
     */
    static boolean mayTakeSlot(int used, int slots, int quick, int held, int tenants) {
        return tenants < 2 || held < shareOfSlots(slots, tenants) || used < quick - reservedSlots(quick);
    }

    /**
     * Slots that decode together without making a request that has just come wait long for their step: as many as take up to 50 ms, but
     * no fewer than {@value #FULL_BATCH}, as all would have to pay for that.
     *
     * @param nanosPerRow what a row takes; 0 if that is not known
     */
    static int quickSlots(int slots, double nanosPerRow) {
        double quick = nanosPerRow <= 0 ? slots : Math.max(FULL_BATCH, LONG_STEP_NANOS / nanosPerRow);
        return (int) Math.min(slots, quick);
    }

    /** Slots that are kept. */
    static int reservedSlots(int slots) {
        return slots / RESERVED;
    }

    /** The share of each of so many tenants. */
    static int shareOfSlots(int slots, int tenants) {
        return Math.max(1, slots / Math.max(1, tenants));
    }

    /** Whether a tenant may have others' rows given up while one holds so many of the slots. */
    static boolean isFlooded(int most, int slots, int tenants) {
        return tenants > 1 && most > shareOfSlots(slots, tenants);
    }

    /**
     * Whether rows that have been computed for some time are given up for a request: not in the last quarter, for which it can wait.
     *
     * @param nanosOfAll that they are likely to take; 0 if that is not known
     * @param mayLose nanoseconds of work that may be done twice
     */
    static boolean mayInterrupt(long nanos, long nanosOfAll, long mayLose) {
        return nanos < nanosOfAll / 4 * 3 && nanos <= mayLose;
    }

    /**
     * Nanoseconds of work that may be done twice after a step: a twentieth of those that were of use, and no more than half a second
     * at a time.
     *
     * @param mayLose the same before it
     * @param isLost whether the step was given up
     */
    static long mayLose(long mayLose, long nanos, boolean isLost) {
        return Math.min(MOST_LOST_NANOS, mayLose + (isLost ? -nanos : nanos / LOST_PART));
    }

    /** Tokens of prompts that a step computes at most. */
    static int mostPrefillTokens(int tokenBudget, int chunk, int maxChunks) {
        return Math.max(chunk, Math.min(tokenBudget, chunk * maxChunks));
    }

    /**
     * Steps that an answer still needs at least. A step that computes the last of the prompt gives a token too.
     *
     * @param prefillTokens prompt tokens to compute
     * @param mostPrefillTokens of which a step computes so many at most
     * @param tokens tokens to generate
     */
    static int leastSteps(int prefillTokens, int mostPrefillTokens, int tokens) {
        int prefillSteps = Math.ceilDiv(prefillTokens, mostPrefillTokens);
        return Math.max(0, prefillSteps - 1) + tokens;
    }

    /** Whether steps can be done within a time if each takes as long as the shortest of late. */
    static boolean canFinish(long nanosLeft, int steps, long shortestStepNanos) {
        return nanosLeft > 0 && steps <= nanosLeft / Math.max(1, shortestStepNanos);
    }

    /** The shortest step of late: one that was shorter than all since is forgotten by and by, a 64th a step. */
    static long shortestStep(long shortestNanos, long latestNanos) {
        return shortestNanos == 0 ? latestNanos : Math.min(latestNanos, shortestNanos + shortestNanos / 64 + 1);
    }

    /** What copying so many tokens costs, in idle rows. */
    static int moveCost(int cachedTokens) {
        return 1 + cachedTokens / TOKENS_COPIED_PER_IDLE_ROW;
    }

    /** Seconds after which a refused request is likely to find room: the queue over the rate of departures, 1 to 60. */
    static int retryAfterSeconds(int waiting, double nanosPerFinish) {
        double seconds = Math.ceil((waiting + 1) * nanosPerFinish / 1e9);
        return (int) Math.clamp(seconds, 1, 60);
    }
}
