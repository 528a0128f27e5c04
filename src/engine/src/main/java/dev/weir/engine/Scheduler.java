package dev.weir.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes and keeps the books of every sequence. Owned by the engine thread.
 *
 * <p>One step, in order: waiting sequences get free slots, in the order of the {@link WaitingQueue}; holes in the decode range may be
 * closed; every decoding sequence whose reader has room gets a row; what the token budget leaves goes to prompts in chunks,
 * of the tenant that has had the least service first, then oldest first. While others decode, a prompt of several chunks is computed in pieces of these, so small that a step takes little longer ({@link PrefillPace}). A sequence whose reader has no room is parked: it keeps its slot and costs nothing, until others wait
 * for a slot; then it gives the slot up and computes its tokens again once its reader returns.
 *
 * <p>With a {@link PrefixCache}, whole blocks of tokens are copied out of the slots in the step after they were computed,
 * and a prompt that begins with cached blocks has them copied into its slot before the rest is computed. What a sequence
 * generates is the same to the last bit whether it found blocks or not: a block ends where chunks may end, a model gives a
 * token the same bits in any chunk of two or more, and where a single token gets others, blocks that hold generated tokens
 * serve their own sequence alone ({@link PrefixPool#decodesLikePrefill}). The exception is the one above, a preempted
 * sequence on such a model: what it finds of its generated tokens is what it decoded, the rest it computes in chunks.
 *
 * <p>What several prompts begin with is computed once even if they come together, as the samples of one request do: a
 * sequence does not compute a block that one before it is about to share, but takes it over a step later. Without a prefix
 * cache each computes its own.
 *
 * <p>No block is evicted while it is copied: a step's blocks are found after room was made for its saves, which the runner
 * makes first.
 */
final class Scheduler {
    private final EngineConfig config;
    private final KvCacheManager cache;
    private final TenantCounters counters = new TenantCounters();
    private final WaitingQueue waiting = new WaitingQueue(counters);
    /** Sequences that hold a slot, in order of admission. */
    private final List<Sequence> running = new ArrayList<>();
    /** Sequences that gave up their slot and whose reader has not come back. */
    private final List<Sequence> preempted = new ArrayList<>();

    private final PrefixCache prefixCache;
    private final int blockTokens;
    private final int maxBlockCopies;
    /** Prompt tokens that a step computes or finds in the prefix cache at most. */
    private final int mostPrefillTokens;
    /** Unfinished sequences whose answer is of use for some time only. */
    private final Set<Sequence> urgent = new LinkedHashSet<>();

    /** Sequences that gave their slot back since the last step, and the slot. */
    private final List<Departed> departed = new ArrayList<>();

    /** Blocks that the current plan saves. */
    private final List<PrefixCache.Block> saved = new ArrayList<>();

    private final PrefillPace pace = new PrefillPace();

    private int idleRowSteps;

    private record Departed(Sequence sequence, int slot) {}

    Scheduler(EngineConfig config, KvCacheManager cache, PrefixCache prefixCache) {
        this.config = config;
        this.cache = cache;
        this.prefixCache = prefixCache;
        blockTokens = prefixCache.pool().blockTokens();
        maxBlockCopies = SchedulingPolicy.blockCopies(config.tokenBudget(), blockTokens);
        int mostLoaded = prefixCache.isOn() ? maxBlockCopies * blockTokens : 0;
        mostPrefillTokens = mostLoaded
                + SchedulingPolicy.mostPrefillTokens(
                        config.tokenBudget(), config.prefillChunk(), config.maxChunksPerStep());
        if (prefixCache.isOn() && config.prefillChunk() % blockTokens != 0) {
            throw new IllegalArgumentException("prefill-chunk is " + config.prefillChunk()
                    + " but must be a multiple of the prefix cache's blocks of " + blockTokens + " tokens");
        }
    }

    void submit(Sequence sequence) {
        waiting.add(sequence, false);
        if (sequence.request.timeLimit() != null) {
            urgent.add(sequence);
        }
    }

    /** Sequences that cannot be answered within their time any more. */
    List<Sequence> late(long nowNanos, long shortestStepNanos) {
        if (urgent.isEmpty()) {
            return List.of();
        }
        return urgent.stream()
                .filter(sequence -> !canFinish(sequence, nowNanos, shortestStepNanos))
                .toList();
    }

    /**
     * Whether a sequence that has just come can be answered within its time: those of its tenant that go before it need a
     * slot each, and no more of them leave than of all.
     */
    boolean isInTime(Sequence sequence, long nowNanos, long shortestStepNanos, double nanosPerFinish) {
        if (sequence.request.timeLimit() == null) {
            return true;
        }
        int departures = Math.max(0, waiting.ahead(sequence) + 1 - (cache.slots() - cache.usedSlots()));
        return canFinish(sequence, nowNanos + (long) (departures * nanosPerFinish), shortestStepNanos);
    }

    private boolean canFinish(Sequence sequence, long nowNanos, long shortestStepNanos) {
        return SchedulingPolicy.canFinish(
                sequence.deadlineNanos() - nowNanos, sequence.leastSteps(mostPrefillTokens), shortestStepNanos);
    }

    /** Nanoseconds until the first deadline. */
    OptionalLong untilDeadline(long nowNanos) {
        return urgent.stream()
                .mapToLong(sequence -> Math.max(0, sequence.deadlineNanos() - nowNanos))
                .min();
    }

    /** The sequence's reader has room again: if it lost its slot it goes to the front of the queue. */
    void resume(Sequence sequence) {
        if (sequence.status() == Sequence.Status.PREEMPTED) {
            preempted.remove(sequence);
            sequence.waitAgain();
            waiting.add(sequence, true);
        }
    }

    /** Ends a sequence wherever it is and frees what it holds; a second time does nothing. */
    void finish(Sequence sequence, FinishReason reason) {
        switch (sequence.status()) {
            case WAITING -> waiting.remove(sequence);
            case PREEMPTED -> preempted.remove(sequence);
            case RUNNING -> {
                if (prefixCache.isOn() && reason != FinishReason.ERROR) {
                    departed.add(new Departed(sequence, sequence.slot()));
                }
                cache.release(sequence);
                running.remove(sequence);
                counters.released(sequence.request.tenant());
            }
            case FINISHED -> {
                return;
            }
        }
        urgent.remove(sequence);
        sequence.finish(reason);
    }

    /** Fills the plan for the next step; an empty plan means that nothing can be computed until a command arrives. */
    void schedule(StepPlan plan, List<Sequence> admitted) {
        plan.clear();
        planSaves(plan);
        admit(plan, admitted);
        if (waiting.isEmpty()) {
            closeHole(plan);
        }
        planChunks(plan);
        planDecodeRows(plan);
        if (plan.decodeRows() == 0) {
            idleRowSteps = 0;
        } else {
            idleRowSteps += plan.decodeRows() - plan.activeRows();
        }
    }

    /** Those that left come first: their slots may be written to in this very step. */
    private void planSaves(StepPlan plan) {
        saved.clear();
        if (!prefixCache.isOn()) {
            return;
        }
        for (Departed gone : departed) {
            planSaves(plan, gone.sequence(), gone.slot(), gone.sequence().sharedTokens(prefixCache.pool()));
        }
        departed.clear();
        for (Sequence sequence : running) {
            planSaves(plan, sequence, sequence.slot(), sequence.sharedTokens(prefixCache.pool()));
        }
    }

    /** Saves blocks of the sequence up to token {@code end}, or finds that they are cached. */
    private void planSaves(StepPlan plan, Sequence sequence, int slot, int end) {
        int before = sequence.prefixTokens();
        while (sequence.sharesPrefix()
                && sequence.prefixTokens() + blockTokens <= end
                && plan.saves().size() < maxBlockCopies) {
            int start = sequence.prefixTokens();
            int[] key = sequence.blockKey(start, prefixCache.pool());
            PrefixCache.Block block = prefixCache.find(sequence.prefix(), key);
            if (block == null) {
                block = prefixCache.add(sequence.prefix(), key);
                if (block == null) {
                    sequence.endPrefix();
                    break;
                }
                plan.addSave(slot, start, block.number());
                saved.add(block);
            }
            sequence.extendPrefix(block, blockTokens);
        }
        if (sequence.prefixTokens() > before) {
            prefixCache.touch(sequence.prefix());
        }
    }

    private void admit(StepPlan plan, List<Sequence> admitted) {
        while (!waiting.isEmpty()) {
            if (!cache.hasFreeSlot() && !preemptParked(plan)) {
                return;
            }
            Sequence sequence = waiting.first();
            counters.admitted(sequence.request.tenant(), sequence.isReturning() ? 0 : sequence.chunkedTokens());
            waiting.remove(sequence);
            cache.reserve(sequence);
            running.add(sequence);
            admitted.add(sequence);
        }
    }

    /** Takes the slot of the parked sequence that came last, if there is one. */
    private boolean preemptParked(StepPlan plan) {
        for (int i = running.size() - 1; i >= 0; i--) {
            Sequence sequence = running.get(i);
            if (!sequence.stream.hasDemand()) {
                if (prefixCache.isOn()) {
                    planSaves(plan, sequence, sequence.slot(), sequence.computedTokens());
                }
                cache.release(sequence);
                running.remove(i);
                counters.released(sequence.request.tenant());
                sequence.preempt();
                preempted.add(sequence);
                return true;
            }
        }
        return false;
    }

    private void closeHole(StepPlan plan) {
        Sequence highest = highestDecoding();
        int hole = cache.lowestFreeSlot();
        if (highest == null || hole < 0 || hole > highest.slot()) {
            return;
        }
        int cached = highest.computedTokens();
        if (SchedulingPolicy.movePays(idleRowSteps, cached, highest.remainingTokens())) {
            plan.addMove(highest.slot(), hole, cached);
            cache.move(highest, hole);
            idleRowSteps = 0;
        }
    }

    private @Nullable Sequence highestDecoding() {
        for (int slot = cache.slots() - 1; slot >= 0; slot--) {
            Sequence owner = cache.owner(slot);
            if (owner != null && decodes(owner)) {
                return owner;
            }
        }
        return null;
    }

    private static boolean decodes(Sequence sequence) {
        return !sequence.isPrefilling() && sequence.stream.hasDemand();
    }

    private int decodingSequences() {
        int count = 0;
        for (Sequence sequence : running) {
            count += decodes(sequence) ? 1 : 0;
        }
        return count;
    }

    /** An idle row's position lies behind everything that its slot holds once this step's chunks are computed. */
    private void planDecodeRows(StepPlan plan) {
        Sequence highest = highestDecoding();
        int rows = highest == null ? 0 : highest.slot() + 1;
        for (int row = 0; row < rows; row++) {
            Sequence owner = cache.owner(row);
            if (owner == null) {
                plan.addIdleRow(0);
            } else if (decodes(owner)) {
                plan.addDecodeRow(owner.lastToken(), owner.computedTokens());
            } else {
                plan.addIdleRow(owner.computedTokens() + owner.plannedTokens());
            }
        }
    }

    private void planChunks(StepPlan plan) {
        int decoding = decodingSequences();
        int budgetLeft = config.tokenBudget() - decoding;
        for (Sequence sequence : running) {
            sequence.plan(0);
        }
        int pieceLeft = pieceTokens(decoding);
        boolean hasPiece = false;
        for (Sequence sequence : byService(decoding)) {
            if (!sequence.isPrefilling() || !sequence.stream.hasDemand()) {
                continue;
            }
            int loaded = planLoads(plan, sequence);
            if (loaded < 0 || isSharedSoon(sequence, sequence.computedTokens() + loaded)) {
                continue;
            }
            boolean isLong = sequence.isLong(config.prefillChunk());
            for (int start = sequence.computedTokens() + loaded; start < sequence.chunkedTokens(); ) {
                if (isLong && hasPiece && pieceLeft < SchedulingPolicy.PIECE) {
                    break;
                }
                PrefillChunk chunk = isLong
                        ? sequence.piece(start, config.prefillChunk(), pieceLeft)
                        : sequence.chunk(start, config.prefillChunk());
                int planned = plan.chunks().size();
                if (!SchedulingPolicy.chunkFits(chunk.length(), budgetLeft, planned, config.maxChunksPerStep())) {
                    return;
                }
                plan.addChunk(chunk);
                budgetLeft -= chunk.length();
                if (isLong) {
                    hasPiece = true;
                    pieceLeft = Math.max(0, pieceLeft - chunk.length());
                }
                start += chunk.length();
                sequence.plan(start - sequence.computedTokens());
                if (!prefixCache.pool().decodesLikePrefill() && sequence.recomputes(start)) {
                    sequence.endPrefix(); // its key would say that these tokens were decoded
                }
            }
        }
    }

    /** Tokens of long prompts that this step computes, so that those who decode notice little of it. */
    private int pieceTokens(int decoding) {
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

    /** Those with a slot in the order in which their prompts are computed: of the tenant that had least first, then oldest first. */
    private List<Sequence> byService(int decoding) {
        if (counters.tenants() < 2 || decoding == running.size()) {
            return running;
        }
        List<Sequence> ordered = new ArrayList<>(running);
        ordered.sort(Comparator.comparingLong(sequence -> counters.served(sequence.request.tenant()))); // stable
        return ordered;
    }

    /** A token was generated for the sequence: its tenant pays. */
    void generated(Sequence sequence) {
        counters.generated(sequence.request.tenant());
    }

    /**
     * Plans the copies of the cached blocks that follow what is in the sequence's slot.
     *
     * @return tokens copied in this step, or -1 if the next step copies more before anything is computed
     */
    private int planLoads(StepPlan plan, Sequence sequence) {
        int start = sequence.computedTokens();
        if (!prefixCache.isOn() || !sequence.sharesPrefix() || sequence.prefixTokens() != start) {
            return 0;
        }
        List<PrefixCache.Block> found = new ArrayList<>();
        PrefixCache.Block last = sequence.prefix();
        int cached = start;
        while (cached + blockTokens <= sequence.reusableTokens()) {
            PrefixCache.Block next = prefixCache.find(last, sequence.blockKey(cached, prefixCache.pool()));
            if (next == null) {
                break;
            }
            found.add(next);
            last = next;
            cached += blockTokens;
        }
        int reusable = SchedulingPolicy.reusableTokens(
                cached, sequence.reusableTokens(), sequence.chunkedTokens(), config.prefillChunk(), prefixCache.pool());
        prefixCache.touch(last);
        int at = start;
        for (PrefixCache.Block block : found) {
            if (at >= reusable) {
                break;
            }
            if (plan.loads().size() >= maxBlockCopies) {
                return -1;
            }
            plan.addLoad(block.number(), sequence.slot(), at);
            sequence.extendPrefix(block, blockTokens);
            at += blockTokens;
            sequence.plan(at - start);
        }
        return at - start;
    }

    /**
     * Whether a sequence before this one holds, or is computing, the very block that this one needs next, and will share it.
     * The first of those who want a block waits for nobody, so somebody always computes it; one that is parked is not waited
     * for.
     */
    private boolean isSharedSoon(Sequence sequence, int start) {
        int end = start + blockTokens;
        if (!prefixCache.isOn() || !sequence.follows(start) || end > sequence.reusableTokens()) {
            return false;
        }
        int[] key = null;
        for (Sequence other : running) {
            if (other == sequence) {
                return false;
            }
            if (other.follows(start)
                    && other.prefix() == sequence.prefix()
                    && other.stream.hasDemand()
                    && end <= other.shareableTokens(prefixCache.pool())) {
                key = key == null ? sequence.blockKey(start, prefixCache.pool()) : key;
                if (Arrays.equals(key, other.blockKey(start, prefixCache.pool()))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The plan's step was not completed: nobody knows what the blocks hold that it should have saved. */
    void forgetSaves() {
        saved.forEach(prefixCache::forget);
        saved.clear();
    }

    /** The sequence that holds the slot; a plan names only slots that are held until its commit. */
    Sequence owner(int slot) {
        Sequence owner = cache.owner(slot);
        if (owner == null) {
            throw new IllegalStateException("nobody holds slot " + slot);
        }
        return owner;
    }

    /** Sequences that the plan computes and that have not ended since, each once. */
    List<Sequence> sequencesOf(StepPlan plan) {
        List<Sequence> sequences = new ArrayList<>();
        for (int row = 0; row < plan.decodeRows(); row++) {
            Sequence owner = cache.owner(row);
            if (plan.isActive(row) && owner != null) {
                sequences.add(owner);
            }
        }
        for (PrefillChunk chunk : plan.chunks()) {
            addOwner(chunk.slot(), sequences);
        }
        for (StepPlan.BlockCopy load : plan.loads()) {
            addOwner(load.slot(), sequences);
        }
        return sequences;
    }

    private void addOwner(int slot, List<Sequence> sequences) {
        Sequence owner = cache.owner(slot);
        if (owner != null && !sequences.contains(owner)) {
            sequences.add(owner);
        }
    }

    List<Sequence> unfinished() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting.all());
        all.addAll(preempted);
        return all;
    }

    int waiting() {
        return waiting.size();
    }

    int running() {
        return running.size();
    }

    /** Sequences whose reader has no room, with or without a slot. */
    int parked() {
        int count = preempted.size();
        for (Sequence sequence : running) {
            if (!sequence.stream.hasDemand()) {
                count++;
            }
        }
        return count;
    }

    Set<Sequence> urgent() {
        return urgent;
    }

    /** What steps lately took, which the next one goes by. */
    PrefillPace pace() {
        return pace;
    }

    TenantCounters counters() {
        return counters;
    }

    KvCacheManager cache() {
        return cache;
    }

    PrefixCache prefixCache() {
        return prefixCache;
    }
}
