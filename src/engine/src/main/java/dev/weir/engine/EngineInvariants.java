package dev.weir.engine;

import java.util.ArrayList;
import java.util.List;

/** What must hold of the engine's books between any two steps. Engine thread, or while it stands still. */
final class EngineInvariants {
    private EngineInvariants() {}

    /** Every violation in words; empty when the books are right. */
    static List<String> violations(Scheduler scheduler, int maxTokens) {
        List<String> violations = new ArrayList<>();
        KvCacheManager cache = scheduler.cache();
        int owned = 0;
        int held = 0;
        for (int slot = 0; slot < cache.slots(); slot++) {
            Sequence owner = cache.owner(slot);
            if (owner == null) {
                continue;
            }
            owned++;
            if (owner.slot() != slot) {
                violations.add("slot " + slot + " is owned by " + owner);
            }
            if (owner.status() != Sequence.Status.RUNNING) {
                violations.add("slot " + slot + " is held by the idle " + owner);
            }
            held += cache.heldBlocks(slot);
            if (cache.blocks().holding(owner.computedTokens()) > cache.heldBlocks(slot)) {
                violations.add(owner + " has taken only " + cache.heldBlocks(slot) + " blocks");
            }
            if (owner.computedTokens() >= maxTokens) {
                violations.add(owner + " overflows its slot");
            }
        }
        if (owned != scheduler.running() || owned != cache.usedSlots()) {
            violations.add(owned + " slots are owned, " + scheduler.running() + " sequences run, " + cache.usedSlots()
                    + " slots are taken");
        }
        if (held + cache.freeBlocks() != cache.blocks().count() || cache.freeBlocks() < 0) {
            violations.add(held + " blocks are held and " + cache.freeBlocks() + " free of " + cache.blocks());
        }
        TenantCounters counters = scheduler.counters();
        if (counters.running() != scheduler.running() || counters.waiting() != scheduler.waiting()) {
            violations.add("tenants are counted with " + counters.running() + " running and " + counters.waiting()
                    + " waiting sequences, but there are " + scheduler.running() + " and " + scheduler.waiting());
        }
        long reading = scheduler.unfinished().stream()
                .filter(sequence -> sequence.status() == Sequence.Status.WAITING && !sequence.isAway())
                .count();
        if (scheduler.hasWaitingReaders() != reading > 0) {
            violations.add(reading + " wait that somebody reads, and the queue says otherwise");
        }
        violations.addAll(scheduler.sharing().cache().violations());
        if (!scheduler.unfinished().containsAll(scheduler.urgent())) {
            violations.add("deadlines are kept for finished sequences: " + scheduler.urgent());
        }
        for (Sequence sequence : scheduler.unfinished()) {
            if (sequence.isFinished()) {
                violations.add(sequence + " is finished and still kept");
            }
            if (sequence.remainingTokens() < 1) {
                violations.add(sequence + " has no token left to generate and is still kept");
            }
            if ((sequence.slot() == Sequence.NO_SLOT) == (sequence.status() == Sequence.Status.RUNNING)) {
                violations.add(sequence + " runs without a slot or holds one without running");
            }
        }
        return violations;
    }
}
