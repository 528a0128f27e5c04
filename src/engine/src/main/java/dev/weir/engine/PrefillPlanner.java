package dev.weir.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Decides which parts of prompts a step computes. Owned by the engine thread.
 *
 * <p>Of the tenant that has had the least service first, then oldest first; but that of one which holds more than its share of the
 * slots last, and not much of it. While others decode, a prompt of several chunks is computed in pieces of these, so small that a step
 * takes little longer ({@link StepPace}). If the model computes chunks and rows one after the other, each chunk is a step of its
 * own, and what is said here of a step holds for those between two that decode ({@link PrefillRound}).
 */
final class PrefillPlanner {
    private final EngineConfig config;
    private final boolean computesApart;
    private final KvCacheManager cache;
    private final TenantCounters counters;
    private final PrefixSharing sharing;
    private final StepPace pace = new StepPace();
    private final PrefillRound round = new PrefillRound();

    PrefillPlanner(
            EngineConfig config,
            boolean computesApart,
            KvCacheManager cache,
            TenantCounters counters,
            PrefixSharing sharing) {
        this.config = config;
        this.computesApart = computesApart;
        this.cache = cache;
        this.counters = counters;
        this.sharing = sharing;
    }

    /** What steps lately took, which the next one goes by. */
    StepPace pace() {
        return pace;
    }

    /** Rows are decoded, or there are none: prompts get all that a step has room for again. */
    void restart() {
        round.restart();
    }

    /**
     * Adds the chunks of a step.
     *
     * @param running those that hold a slot, in order of admission
     * @param decoding how many of them decode
     * @param newestAdmission the number of the last slot that was given out
     */
    void plan(StepPlan plan, List<Sequence> running, int decoding, long newestAdmission) {
        for (Sequence sequence : running) {
            sequence.plan(0);
        }
        round.begin(newestAdmission);
        int budget = config.tokenBudget() - decoding;
        int pieceBudget = pieceTokens(running, decoding);
        boolean someHaveMore = someHaveMore(running);
        int mostOfThose = someHaveMore ? pace.tokens(SchedulingPolicy.TENANT_STRETCH) : Integer.MAX_VALUE;
        for (Sequence sequence : byService(running, decoding, someHaveMore)) {
            boolean goesFirst = someHaveMore && hasFew(sequence);
            if (!sequence.isPrefilling() || !sequence.stream.hasDemand() || !(goesFirst || round.had(sequence))) {
                continue;
            }
            int loaded = sharing.planLoads(plan, sequence);
            if (loaded < 0 || sharing.isSharedSoon(sequence, sequence.computedTokens() + loaded, running)) {
                continue;
            }
            String tenant = sequence.request.tenant();
            boolean isLong = sequence.isLong(config.prefillChunk());
            for (int start = sequence.computedTokens() + loaded; start < sequence.chunkedTokens(); ) {
                int pieceLeft = Math.max(0, pieceBudget - round.pieceTokens());
                if (isLong && round.pieceTokens() > 0 && pieceLeft < SchedulingPolicy.PIECE) {
                    break;
                }
                PrefillChunk chunk = isLong
                        ? sequence.piece(start, config.prefillChunk(), pieceLeft)
                        : sequence.chunk(start, config.prefillChunk());
                boolean isStepFull = computesApart && !plan.chunks().isEmpty();
                if (isStepFull || !round.fits(chunk.length(), budget, config.maxChunksPerStep())) {
                    return;
                }
                if (someHaveMore && !goesFirst && !round.fitsTenant(tenant, chunk.length(), mostOfThose)) {
                    break;
                }
                plan.addChunk(chunk);
                round.add(tenant, chunk.length(), isLong);
                start += chunk.length();
                sequence.plan(start - sequence.computedTokens());
                sharing.chunked(sequence, start);
            }
        }
    }

    /** Whether a tenant holds more than its share of the slots, and so keeps others waiting. */
    private boolean someHaveMore(List<Sequence> running) {
        if (counters.tenants() > 1) {
            for (Sequence sequence : running) {
                if (!hasFew(sequence)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether its tenant holds no more than its share of the slots that are quick. */
    private boolean hasFew(Sequence sequence) {
        return counters.running(sequence.request.tenant())
                <= SchedulingPolicy.shareOfSlots(quickSlots(), counters.lately());
    }

    /** Slots that may decode together, while several tenants ask, without making anybody wait long. */
    int quickSlots() {
        return SchedulingPolicy.quickSlots(cache.capacity(), pace.nanosPerRow());
    }

    /** Tokens of long prompts that this step computes, so that those who decode notice little of it. */
    private int pieceTokens(List<Sequence> running, int decoding) {
        if (decoding == 0 || decoding == running.size()) {
            return Integer.MAX_VALUE;
        }
        int prefilling = 0;
        for (Sequence sequence : running) {
            boolean isWanted = sequence.isPrefilling() && sequence.stream.hasDemand();
            prefilling += isWanted && sequence.isLong(config.prefillChunk()) ? 1 : 0;
        }
        return prefilling == 0
                ? Integer.MAX_VALUE
                : pace.tokens(SchedulingPolicy.stretch(prefilling, prefilling + decoding));
    }

    /**
     * Those with a slot in the order in which their prompts are computed: of tenants that hold no more than their share first, then of
     * the tenant that had least, then oldest first.
     */
    private List<Sequence> byService(List<Sequence> running, int decoding, boolean someHaveMore) {
        if (counters.tenants() < 2 || decoding == running.size()) {
            return running;
        }
        List<Sequence> ordered = new ArrayList<>(running);
        ordered.sort(Comparator.comparing((Sequence sequence) -> someHaveMore && !hasFew(sequence))
                .thenComparingLong(sequence -> counters.served(sequence.request.tenant()))); // stable
        return ordered;
    }
}
