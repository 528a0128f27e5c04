package dev.weir.engine;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes and keeps the books of every sequence. Owned by the engine thread.
 *
 * <p>One step, in order: sequences that decode get a block for their next token where they need one, if need be from who came last;
 * waiting sequences get free slots and blocks, in the order of the {@link WaitingQueue}, but for some that are kept for
 * tenants that hold less than their share, or that are taken back for them; holes in the decode range
 * may be closed; every decoding sequence whose reader has room gets a row; what the token budget leaves goes to prompts in chunks
 * ({@link PrefillPlanner}). If the model computes chunks and rows one after the other, each chunk is a step of its own, and the rows
 * have theirs once the budget is used up. A sequence whose reader has no room
 * is parked: it keeps its slot and costs nothing, until others want a slot or memory; then it gives the slot up and computes its tokens
 * again once its reader returns. What nobody reads is computed only while nothing else is.
 *
 * <p>A single decoding sequence, if nothing else is computed, may have guesses of its next tokens checked along ({@link
 * PromptLookup}): its step then is a chunk rather than a row.
 *
 * <p>What prompts begin with is computed once, where it can be ({@link PrefixSharing}).
 */
final class Scheduler {
    private final KvCacheManager cache;
    private final TenantCounters counters = new TenantCounters();
    private final WaitingQueue waiting = new WaitingQueue(counters);
    /** Sequences that hold a slot, in order of admission. */
    private final List<Sequence> running = new ArrayList<>();

    private final PrefixSharing sharing;
    /** Prompt tokens that a step computes or finds in the prefix cache at most. */
    private final int mostPrefillTokens;
    /** Unfinished sequences whose answer is of use for some time only. */
    private final Set<Sequence> urgent = new LinkedHashSet<>();

    private final Preemption preemption;
    private final PrefillPlanner prefill;
    /** Whether the model computes rows and chunks one after the other. */
    private final boolean computesApart;

    /** Guesses that a step checks at most. */
    private final int mostDraftTokens;

    private long admissions;
    private int idleRowSteps;

    Scheduler(
            EngineConfig config,
            int draftTokens,
            boolean computesApart,
            KvCacheManager cache,
            PrefixCache prefixCache) {
        this.computesApart = computesApart;
        mostDraftTokens = Math.min(draftTokens, config.draftTokens());
        this.cache = cache;
        sharing = new PrefixSharing(config, prefixCache);
        preemption = new Preemption(running, waiting, cache, counters, sharing);
        prefill = new PrefillPlanner(config, computesApart, cache, counters, sharing);
        mostPrefillTokens = sharing.mostLoadedTokens()
                + SchedulingPolicy.mostPrefillTokens(
                        config.tokenBudget(), config.prefillChunk(), computesApart ? 1 : config.maxChunksPerStep());
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
        int toBeHad = cache.capacity() - cache.usedSlots();
        for (Sequence holder : running) {
            toBeHad += isRead(holder) ? 0 : 1;
        }
        int departures = Math.max(0, waiting.ahead(sequence) + 1 - toBeHad);
        return canFinish(sequence, nowNanos + (long) (departures * nanosPerFinish), shortestStepNanos);
    }

    private boolean canFinish(Sequence sequence, long nowNanos, long shortestStepNanos) {
        return SchedulingPolicy.canFinish(
                sequence.deadlineNanos() - nowNanos,
                sequence.leastSteps(mostPrefillTokens, mostDraftTokens + 1),
                shortestStepNanos);
    }

    /** Nanoseconds until the first deadline. */
    OptionalLong untilDeadline(long nowNanos) {
        return urgent.stream()
                .mapToLong(sequence -> Math.max(0, sequence.deadlineNanos() - nowNanos))
                .min();
    }

    /** The sequence's reader went or came back. */
    void setAway(Sequence sequence, boolean isAway) {
        if (sequence.status() != Sequence.Status.FINISHED) {
            waiting.setAway(sequence, isAway);
            sequence.setAway(isAway);
        }
    }

    /** Ends a sequence wherever it is and frees what it holds; a second time does nothing. */
    void finish(Sequence sequence, FinishReason reason) {
        switch (sequence.status()) {
            case WAITING -> waiting.remove(sequence);
            case PREEMPTED -> preemption.ended(sequence);
            case RUNNING -> {
                if (reason != FinishReason.ERROR) {
                    sharing.departed(sequence);
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
        sharing.planSaves(plan, running);
        makeRoomToDecode(plan);
        if (!admit(plan, admitted)) {
            closeHole(plan);
        }
        int decoding = decodingSequences();
        if (decoding == 0) {
            prefill.restart();
            idleRowSteps = 0;
        }
        prefill.plan(plan, running, decoding, admissions);
        if (!computesApart || plan.chunks().isEmpty()) {
            if (decoding != 1 || !planDraft(plan)) {
                planDecodeRows(plan);
            }
            idleRowSteps += plan.decodeRows() - plan.activeRows();
            prefill.restart();
        }
        if (!plan.isEmpty()) {
            cache.planReleases(plan);
        }
    }

    /** Gives each sequence that decodes the memory for its next token, the oldest first: some go on to their end, whoever gives way. */
    private void makeRoomToDecode(StepPlan plan) {
        for (int i = 0; i < running.size(); ) {
            Sequence sequence = running.get(i);
            if (!decodes(sequence) || cache.grow(sequence, sequence.computedTokens() + 1)) {
                i++;
            } else {
                if (!preemption.parked(plan)) {
                    preemption.newestOfLargestHolder(plan);
                }
                i = 0;
            }
        }
    }

    /** Whether there is work that somebody reads: what nobody reads has to wait for the end of that. */
    private boolean hasReaders() {
        if (waiting.hasReaders()) {
            return true;
        }
        for (Sequence sequence : running) {
            if (isRead(sequence)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isRead(Sequence sequence) {
        return sequence.stream.hasDemand() && !sequence.isAway();
    }

    /** Gives out slots; whether somebody is left who waits for one. */
    private boolean admit(StepPlan plan, List<Sequence> admitted) {
        boolean hasReaders = hasReaders();
        if (hasReaders) {
            preemption.away(plan);
        }
        int mostReclaimed = Math.max(1, SchedulingPolicy.reservedSlots(cache.capacity()));
        while (hasReaders ? waiting.hasReaders() : !waiting.isEmpty()) {
            Sequence sequence = cache.hasFreeSlot() ? waiting.first(this::mayTakeSlot) : null;
            if (sequence == null || !cache.hasRoomFor(sequence)) {
                if (preemption.parked(plan)) {
                    continue;
                }
                sequence = mostReclaimed-- > 0 ? preemption.forLeastServed(plan) : null;
            }
            if (sequence == null) {
                return true;
            }
            counters.admitted(sequence.request.tenant(), sequence.isReturning() ? 0 : sequence.chunkedTokens());
            waiting.remove(sequence);
            cache.reserve(sequence);
            sequence.admitted(++admissions);
            running.add(sequence);
            admitted.add(sequence);
        }
        return false;
    }

    /** Of a free slot, for which there may be memory even where that does not suffice for one more like those that run. */
    private boolean mayTakeSlot(String tenant) {
        int capacity = cache.capacity();
        return SchedulingPolicy.mayTakeSlot(
                Math.min(cache.usedSlots(), capacity - 1),
                capacity,
                prefill.quickSlots(),
                counters.running(tenant),
                counters.lately());
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

    /**
     * For the only sequence that decodes: several decode faster as rows of one run than each in a run with guesses of its own.
     *
     * @return whether the plan has it, with guesses
     */
    private boolean planDraft(StepPlan plan) {
        if (mostDraftTokens == 0 || !plan.chunks().isEmpty()) {
            return false;
        }
        Sequence sequence = highestDecoding();
        PrefillChunk draft = sequence == null ? null : sequence.draft(mostDraftTokens);
        if (sequence == null || draft == null || !cache.grow(sequence, draft.start() + draft.length())) {
            return false;
        }
        plan.addChunk(draft);
        return true;
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

    /** A token was generated for the sequence: its tenant pays. */
    void generated(Sequence sequence) {
        counters.generated(sequence.request.tenant());
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
        all.addAll(preemption.preempted());
        return all;
    }

    int waiting() {
        return waiting.size();
    }

    /** Whether somebody waits for an answer that is read. */
    boolean hasWaitingReaders() {
        return waiting.hasReaders();
    }

    int running() {
        return running.size();
    }

    /** Sequences whose reader has no room, with or without a slot. */
    int parked() {
        int count = preemption.preempted().size();
        for (Sequence sequence : running) {
            if (!sequence.stream.hasDemand()) {
                count++;
            }
        }
        return count;
    }

    Preemption preemption() {
        return preemption;
    }

    Set<Sequence> urgent() {
        return urgent;
    }

    /** The share of each tenant that has asked lately, while one holds more than it; 0 if none does. */
    int shareUnderFlood() {
        int slots = prefill.quickSlots();
        int tenants = counters.lately();
        return SchedulingPolicy.isFlooded(counters.mostRunning(), slots, tenants)
                ? SchedulingPolicy.shareOfSlots(slots, tenants)
                : 0;
    }

    /** What steps lately took, which the next one goes by. */
    StepPace pace() {
        return prefill.pace();
    }

    TenantCounters counters() {
        return counters;
    }

    KvCacheManager cache() {
        return cache;
    }

    PrefixSharing sharing() {
        return sharing;
    }
}
