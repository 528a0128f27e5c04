package dev.weir.engine;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The slots of the KV cache, who holds them, and how many blocks of its memory they have taken. Owned by the engine thread.
 *
 * <p>A sequence gets a slot, the lowest free one, which keeps the contiguous decode range short, and with it the blocks of what is
 * computed in chunks; for what it generates it takes more one by one. A block that the prefix cache holds too is counted as the
 * slot's own, so memory is there for all that is counted here.
 */
final class KvCacheManager {
    /** For so many sequences that will need more blocks one is kept when a slot is given out. */
    private static final int GROWING_PER_BLOCK = 16;

    private final CacheBlocks blocks;
    private final @Nullable Sequence[] owners;
    private final int[] held;
    private final BitSet free;
    /** Slots that were given back and whose blocks the model still has. */
    private final BitSet vacated;

    private int heldBlocks;

    KvCacheManager(int slots, CacheBlocks blocks) {
        this.blocks = blocks;
        owners = new Sequence[slots];
        held = new int[slots];
        free = new BitSet(slots);
        free.set(0, slots);
        vacated = new BitSet(slots);
    }

    boolean hasFreeSlot() {
        return !free.isEmpty();
    }

    /** Whether there is a slot for the sequence and memory for what it has so far, without others soon lacking it. */
    boolean hasRoomFor(Sequence sequence) {
        return hasFreeSlot() && blocksOf(sequence) <= freeBlocks() - growing() / GROWING_PER_BLOCK;
    }

    /** Sequences that will need more blocks than they hold, if they generate all that they may. */
    private int growing() {
        int count = 0;
        for (Sequence owner : owners) {
            count += owner != null && blocks.holding(owner.mostCachedTokens()) > held[owner.slot()] ? 1 : 0;
        }
        return count;
    }

    /** With what is computed in chunks and the token that follows. */
    private int blocksOf(Sequence sequence) {
        return blocks.holding(sequence.chunkedTokens() + 1);
    }

    int lowestFreeSlot() {
        return free.nextSetBit(0);
    }

    /** Gives the sequence the lowest free slot; there must be one, and the blocks. */
    void reserve(Sequence sequence) {
        int slot = lowestFreeSlot();
        int wanted = blocksOf(sequence);
        if (slot < 0 || wanted > freeBlocks()) {
            throw new IllegalStateException("no room for " + sequence + " in " + this);
        }
        take(slot, sequence, wanted);
        heldBlocks += wanted;
        sequence.assign(slot);
    }

    /**
     * Lets the sequence have so many tokens in its slot.
     *
     * @return whether there is memory for them; if not it keeps what it has
     */
    boolean grow(Sequence sequence, int tokens) {
        int more = blocks.holding(tokens) - held[sequence.slot()];
        if (more > freeBlocks()) {
            return false;
        }
        if (more > 0) {
            held[sequence.slot()] += more;
            heldBlocks += more;
        }
        return true;
    }

    /** Frees the slot that the sequence holds, and its blocks. */
    void release(Sequence sequence) {
        int slot = sequence.slot();
        heldBlocks -= leave(sequence);
        vacated.set(slot);
    }

    /** Hands the sequence the free slot {@code to} and frees its own; the caller plans the move, which takes the blocks along. */
    void move(Sequence sequence, int to) {
        if (!free.get(to)) {
            throw new IllegalStateException("slot " + to + " is not free for " + sequence);
        }
        take(to, sequence, leave(sequence));
        sequence.moveTo(to);
    }

    private int leave(Sequence sequence) {
        int slot = sequence.slot();
        if (owners[slot] != sequence) {
            throw new IllegalStateException("slot " + slot + " is not held by " + sequence);
        }
        owners[slot] = null;
        free.set(slot);
        int had = held[slot];
        held[slot] = 0;
        return had;
    }

    private void take(int slot, Sequence sequence, int blockCount) {
        free.clear(slot);
        owners[slot] = sequence;
        held[slot] = blockCount;
    }

    /** Tells the model of the slots that were given back since it was told last. */
    void planReleases(StepPlan plan) {
        for (int slot = vacated.nextSetBit(0); slot >= 0; slot = vacated.nextSetBit(slot + 1)) {
            plan.addRelease(slot);
        }
        vacated.clear();
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

    /** Sequences for which there is memory, if those to come need as much as those that are there; at most the slots. */
    int capacity() {
        return heldBlocks == 0
                ? owners.length
                : (int) Math.min(owners.length, (long) blocks.count() * usedSlots() / heldBlocks);
    }

    int freeBlocks() {
        return blocks.count() - heldBlocks;
    }

    CacheBlocks blocks() {
        return blocks;
    }

    /** Blocks that a slot has taken. */
    int heldBlocks(int slot) {
        return held[slot];
    }

    /** Tokens that all blocks hold. */
    long capacityTokens() {
        return (long) blocks.count() * blocks.tokens();
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
        return usedSlots() + " of " + owners.length + " slots and " + heldBlocks + " of " + blocks.count()
                + " blocks used " + Arrays.toString(owners);
    }
}
