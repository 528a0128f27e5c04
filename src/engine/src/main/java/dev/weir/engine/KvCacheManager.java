package dev.weir.engine;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The slots of the KV cache and who holds them. Owned by the engine thread. A slot has room for one sequence of the full
 * context; the lowest free one is taken first, which keeps the contiguous decode range short.
 */
final class KvCacheManager {
    private final @Nullable Sequence[] owners;
    private final BitSet free;

    KvCacheManager(int slots) {
        owners = new Sequence[slots];
        free = new BitSet(slots);
        free.set(0, slots);
    }

    boolean hasFreeSlot() {
        return !free.isEmpty();
    }

    int lowestFreeSlot() {
        return free.nextSetBit(0);
    }

    /** Gives the sequence the lowest free slot; there must be one. */
    void reserve(Sequence sequence) {
        int slot = lowestFreeSlot();
        if (slot < 0) {
            throw new IllegalStateException("no free slot for " + sequence);
        }
        take(slot, sequence);
        sequence.assign(slot);
    }

    /** Frees the slot that the sequence holds. */
    void release(Sequence sequence) {
        int slot = sequence.slot();
        if (owners[slot] != sequence) {
            throw new IllegalStateException("slot " + slot + " is not held by " + sequence);
        }
        owners[slot] = null;
        free.set(slot);
    }

    /** Hands the sequence the free slot {@code to} and frees its own; the caller plans the copy. */
    void move(Sequence sequence, int to) {
        if (!free.get(to)) {
            throw new IllegalStateException("slot " + to + " is not free for " + sequence);
        }
        release(sequence);
        take(to, sequence);
        sequence.moveTo(to);
    }

    private void take(int slot, Sequence sequence) {
        free.clear(slot);
        owners[slot] = sequence;
    }

    @Nullable
    Sequence owner(int slot) {
        return owners[slot];
    }

    int slots() {
        return owners.length;
    }

    int usedSlots() {
        return owners.length - free.cardinality();
    }

    /** Tokens in the cache over all slots. */
    long cachedTokens() {
        long sum = 0;
        for (Sequence owner : owners) {
            sum += owner == null ? 0 : owner.computedTokens();
        }
        return sum;
    }

    @Override
    public String toString() {
        return usedSlots() + " of " + owners.length + " slots used " + Arrays.toString(owners);
    }
}
