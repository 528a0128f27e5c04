package dev.weir.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes and keeps the books of every sequence. Owned by the engine thread.
 *
 * <p>One step, in order: waiting sequences get free slots, first come first served; holes in the decode range may be
 * closed; every decoding sequence whose reader has room gets a row; what the token budget leaves goes to prompts in chunks,
 * oldest first. A sequence whose reader has no room is parked: it keeps its slot and costs nothing, until others wait
 * for a slot; then it gives the slot up and computes its tokens again once its reader returns.
 */
final class Scheduler {
    private final EngineConfig config;
    private final KvCacheManager cache;
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    /** Sequences that hold a slot, in order of admission. */
    private final List<Sequence> running = new ArrayList<>();
    /** Sequences that gave up their slot and whose reader has not come back. */
    private final List<Sequence> preempted = new ArrayList<>();

    private int idleRowSteps;

    Scheduler(EngineConfig config, KvCacheManager cache) {
        this.config = config;
        this.cache = cache;
    }

    void submit(Sequence sequence) {
        waiting.addLast(sequence);
    }

    /** The sequence's reader has room again: if it lost its slot it goes to the front of the queue. */
    void resume(Sequence sequence) {
        if (sequence.status() == Sequence.Status.PREEMPTED) {
            preempted.remove(sequence);
            sequence.waitAgain();
            waiting.addFirst(sequence);
        }
    }

    /** Ends a sequence wherever it is and frees what it holds; a second time does nothing. */
    void finish(Sequence sequence, FinishReason reason) {
        switch (sequence.status()) {
            case WAITING -> waiting.remove(sequence);
            case PREEMPTED -> preempted.remove(sequence);
            case RUNNING -> {
                cache.release(sequence);
                running.remove(sequence);
            }
            case FINISHED -> {
                return;
            }
        }
        sequence.finish(reason);
    }

    /** Fills the plan for the next step; an empty plan means that nothing can be computed until a command arrives. */
    void schedule(StepPlan plan, List<Sequence> admitted) {
        plan.clear();
        admit(admitted);
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

    private void admit(List<Sequence> admitted) {
        while (!waiting.isEmpty()) {
            if (!cache.hasFreeSlot() && !preemptParked()) {
                return;
            }
            Sequence sequence = waiting.removeFirst();
            cache.reserve(sequence);
            running.add(sequence);
            admitted.add(sequence);
        }
    }

    /** Takes the slot of the parked sequence that came last, if there is one. */
    private boolean preemptParked() {
        for (int i = running.size() - 1; i >= 0; i--) {
            Sequence sequence = running.get(i);
            if (!sequence.stream.hasDemand()) {
                cache.release(sequence);
                running.remove(i);
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
        int budgetLeft = config.tokenBudget() - decodingSequences();
        for (Sequence sequence : running) {
            sequence.plan(0);
        }
        for (Sequence sequence : running) {
            if (!sequence.isPrefilling() || !sequence.stream.hasDemand()) {
                continue;
            }
            for (int start = sequence.computedTokens(); start < sequence.chunkedTokens(); ) {
                PrefillChunk chunk = sequence.chunk(start, config.prefillChunk());
                int planned = plan.chunks().size();
                if (!SchedulingPolicy.chunkFits(chunk.length(), budgetLeft, planned, config.maxChunksPerStep())) {
                    return;
                }
                plan.addChunk(chunk);
                budgetLeft -= chunk.length();
                start += chunk.length();
                sequence.plan(start - sequence.computedTokens());
            }
        }
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
            Sequence owner = cache.owner(chunk.slot());
            if (owner != null && !sequences.contains(owner)) {
                sequences.add(owner);
            }
        }
        return sequences;
    }

    List<Sequence> unfinished() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting);
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

    KvCacheManager cache() {
        return cache;
    }
}
