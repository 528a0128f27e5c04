package dev.weir.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who gives up slot and memory before its end, and computes its tokens again later. Owned by the engine thread.
 *
 * <p>What it has computed is saved first, as far as the prefix cache has room. Then it waits at the front of its tenant's, or for its
 * reader if that has no room.
 */
final class Preemption {
    private final List<Sequence> running;
    private final WaitingQueue waiting;
    private final KvCacheManager cache;
    private final TenantCounters counters;
    private final PrefixSharing sharing;
    /** Those whose reader has not come back. */
    private final List<Sequence> preempted = new ArrayList<>();

    private long count;

    /**
     * Nobody has given up anything yet.
     *
     * @param running those that hold a slot, in order of admission; whoever gives it up is taken out
     */
    Preemption(
            List<Sequence> running,
            WaitingQueue waiting,
            KvCacheManager cache,
            TenantCounters counters,
            PrefixSharing sharing) {
        this.running = running;
        this.waiting = waiting;
        this.cache = cache;
        this.counters = counters;
        this.sharing = sharing;
    }

    /** Takes the slot and the memory of the parked sequence that came last, if there is one. */
    boolean parked(StepPlan plan) {
        for (int i = running.size() - 1; i >= 0; i--) {
            Sequence sequence = running.get(i);
            if (!sequence.stream.hasDemand()) {
                preempt(plan, sequence);
                return true;
            }
        }
        return false;
    }

    /** Takes the slots of all that nobody reads. */
    void away(StepPlan plan) {
        for (int i = running.size() - 1; i >= 0; i--) {
            if (running.get(i).isAway()) {
                preempt(plan, running.get(i));
            }
        }
    }

    /** For want of memory: takes what nobody reads, else of the tenant that holds most slots the sequence that came last. */
    void newestOfLargestHolder(StepPlan plan) {
        preempt(
                plan,
                Collections.max(
                        running,
                        Comparator.comparing(Sequence::isAway)
                                .thenComparingInt(sequence -> counters.running(sequence.request.tenant()))
                                .thenComparingLong(Sequence::admission)));
    }

    /**
     * Takes back a slot for a tenant that waits with less than its share of them, with as much memory as it needs: of the one that
     * holds most, if that is more than its share, the sequences that have the least to compute again.
     *
     * @return who gets the slot, whoever else waits; null for nobody
     */
    @Nullable
    Sequence forLeastServed(StepPlan plan) {
        int share = SchedulingPolicy.shareOfSlots(cache.capacity(), counters.lately());
        Sequence next = waiting.first(tenant -> counters.running(tenant) < share);
        while (next != null && !cache.hasRoomFor(next)) {
            Sequence victim = cheapestAbove(share);
            if (victim == null) {
                return null;
            }
            preempt(plan, victim);
        }
        return next;
    }

    private @Nullable Sequence cheapestAbove(int share) {
        Sequence victim = null;
        int most = share;
        for (Sequence sequence : running) {
            int held = counters.running(sequence.request.tenant());
            boolean isCheaper = victim != null && held == most && sequence.computedTokens() < victim.computedTokens();
            if ((held > most || isCheaper) && canComputeAgain(sequence)) {
                victim = sequence;
                most = held;
            }
        }
        return victim;
    }

    /** Whether the rest of its answer is the same if what it has so far is computed as a prompt. */
    private boolean canComputeAgain(Sequence sequence) {
        return sequence.generatedTokens() == 0 || sharing.cache().pool().decodesLikePrefill();
    }

    private void preempt(StepPlan plan, Sequence sequence) {
        sharing.planSavesOfAll(plan, sequence);
        cache.release(sequence);
        running.remove(sequence);
        counters.released(sequence.request.tenant());
        sequence.preempt();
        count++;
        preempted.add(sequence);
        if (sequence.stream.hasDemand()) {
            resume(sequence);
        }
    }

    /** The sequence's reader has room again: if it lost its slot it goes to the front of the queue. */
    void resume(Sequence sequence) {
        if (sequence.status() == Sequence.Status.PREEMPTED) {
            preempted.remove(sequence);
            sequence.waitAgain();
            waiting.add(sequence, true);
        }
    }

    /** A sequence that waits for its reader has ended. */
    void ended(Sequence sequence) {
        preempted.remove(sequence);
    }

    /** Sequences without a slot that wait for their readers. */
    Collection<Sequence> preempted() {
        return Collections.unmodifiableList(preempted);
    }

    /** Times that a sequence lost its slot before its end. */
    long count() {
        return count;
    }
}
