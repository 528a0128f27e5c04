package dev.weir.onnx;

import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.util.Arrays;

/**
 * Which blocks of a paged cache hold which tokens: of each slot, and of each place of the prefix cache's pool. Blocks are
 * shared and counted, so that what the engine calls copies between slots and pool are entries of a table here; a block that
 * others hold too is exchanged for one's own before it is written. Owned by the engine thread.
 *
 * <p>Block 0 belongs to nobody: rows that only fill a run up read from it. Of the others the pool has one for each of its places,
 * and the slots so many together: the engine counts what each takes, so a free one is never missing.
 */
final class BlockTables {
    private static final int NONE = -1;

    private final int blockSize;
    private final int[][] slots;
    private final int[] pool;
    /** How many entries hold each block. */
    private final int[] holders;

    private final int[] free;
    private int freeCount;

    /** Takes the content of one block for another. */
    interface BlockCopier {
        void copy(int from, int to);
    }

    /**
     * Empty tables.
     *
     * @param blocksPerSlot blocks of a whole context
     * @param slotBlocks blocks that the slots hold together at most
     * @param poolBlocks places of the prefix cache, of a block each
     */
    BlockTables(int slots, int blocksPerSlot, int slotBlocks, int poolBlocks, int blockSize) {
        this.blockSize = blockSize;
        this.slots = new int[slots][blocksPerSlot];
        for (int[] table : this.slots) {
            Arrays.fill(table, NONE);
        }
        pool = new int[poolBlocks];
        Arrays.fill(pool, NONE);
        int blocks = blocks(slotBlocks, poolBlocks);
        holders = new int[blocks];
        free = new int[blocks - 1];
        for (int block = blocks - 1; block > 0; block--) {
            free[freeCount++] = block; // the lowest is taken first
        }
    }

    /** Blocks that such tables need in all. */
    static int blocks(int slotBlocks, int poolBlocks) {
        return 1 + Math.addExact(slotBlocks, poolBlocks);
    }

    /** Blocks that nobody holds. */
    int freeBlocks() {
        return freeCount;
    }

    /** The block of a slot that has so many tokens before it, for reading; 0 if there is none. */
    int block(int slot, int index) {
        return Math.max(0, slots[slot][index]);
    }

    /** The place in the cache where a slot's token is written, counted in tokens; {@link #prepare} has been called for it. */
    int place(int slot, int position) {
        return slots[slot][position / blockSize] * blockSize + position % blockSize;
    }

    /** Does what a plan says before anything is computed, and makes sure that what it computes may be written. */
    void apply(StepPlan plan, BlockCopier copier) {
        for (StepPlan.BlockCopy save : plan.saves()) {
            save(save.slot(), save.start(), save.block());
        }
        plan.releases().forEach(this::release);
        for (StepPlan.SlotMove move : plan.moves()) {
            move(move.from(), move.to(), move.tokens());
        }
        for (StepPlan.BlockCopy load : plan.loads()) {
            load(load.block(), load.slot(), load.start());
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            if (plan.isActive(row)) {
                prepare(row, plan.position(row), 1, copier);
            }
        }
        for (PrefillChunk chunk : plan.chunks()) {
            prepare(chunk.slot(), chunk.start(), chunk.length(), copier);
        }
    }

    /** The pool's place holds what the slot has from {@code start} on, which begins a block. */
    void save(int slot, int start, int place) {
        pool[place] = exchange(pool[place], slots[slot][start / blockSize]);
    }

    /** The slot has from {@code start} on what the pool's place holds. */
    void load(int place, int slot, int start) {
        int[] table = slots[slot];
        table[start / blockSize] = exchange(table[start / blockSize], pool[place]);
    }

    /** One slot has what another had in its first tokens, which then has nothing. */
    void move(int from, int to, int tokens) {
        for (int i = 0; i * blockSize < tokens; i++) {
            slots[to][i] = exchange(slots[to][i], slots[from][i]);
        }
        release(from);
    }

    /** The slot has nothing. */
    void release(int slot) {
        int[] table = slots[slot];
        for (int i = 0; i < table.length; i++) {
            table[i] = exchange(table[i], NONE);
        }
    }

    /** Makes sure that the slot may write so many tokens from {@code start} on: in blocks that it alone holds. */
    void prepare(int slot, int start, int length, BlockCopier copier) {
        int[] table = slots[slot];
        for (int i = start / blockSize; i * blockSize < start + length; i++) {
            int held = table[i];
            if (held != NONE && holders[held] == 1) {
                continue;
            }
            int own = take();
            if (held != NONE && start > i * blockSize) { // tokens before these stay
                copier.copy(held, own);
            }
            letGo(held);
            table[i] = own;
        }
    }

    private int take() {
        if (freeCount == 0) {
            throw new IllegalStateException("no block is free, of " + holders.length);
        }
        int block = free[--freeCount];
        holders[block] = 1;
        return block;
    }

    /** What an entry holds after it has let go of one block for another. */
    private int exchange(int old, int block) {
        if (block != NONE) {
            holders[block]++;
        }
        letGo(old);
        return block;
    }

    private void letGo(int block) {
        if (block != NONE && --holders[block] == 0) {
            free[freeCount++] = block;
        }
    }
}
