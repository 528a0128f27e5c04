package dev.weir.engine;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What one step computes: the one value that passes from scheduler to runner. Owned by the engine thread and filled anew
 * for each step, so that planning allocates nothing per row.
 *
 * <p>Decode rows are the slots {@code 0 .. decodeRows()-1} in order, one new token each, because the attention kernels on
 * the CPU take a contiguous range of slots. A row within the range that has nothing to decode is <em>idle</em>: it
 * computes token 0 at its {@link #position}, where the next real token of that slot will overwrite it, and nobody reads
 * its logits.
 */
public final class StepPlan {
    private final int[] tokens;
    private final int[] positions;
    private final boolean[] active;
    private final List<PrefillChunk> chunks = new ArrayList<>();
    private final List<PrefillChunk> chunksSeen = Collections.unmodifiableList(chunks);
    private final List<BlockCopy> saves = new ArrayList<>();
    private final List<BlockCopy> savesSeen = Collections.unmodifiableList(saves);
    private final List<Integer> releases = new ArrayList<>();
    private final List<Integer> releasesSeen = Collections.unmodifiableList(releases);
    private final List<SlotMove> moves = new ArrayList<>();
    private final List<SlotMove> movesSeen = Collections.unmodifiableList(moves);
    private final List<BlockCopy> loads = new ArrayList<>();
    private final List<BlockCopy> loadsSeen = Collections.unmodifiableList(loads);
    private int decodeRows;
    private int activeRows;

    /** A move of a sequence's first {@code tokens} cache entries from one slot to another; the first then holds nothing. */
    public record SlotMove(int from, int to, int tokens) {}

    /**
     * A copy of one block of tokens between a slot and the runner's {@link PrefixPool}.
     *
     * @param start index of the block's first token in the slot
     * @param block place in the pool
     */
    public record BlockCopy(int slot, int start, int block) {}

    public StepPlan(int slots) {
        tokens = new int[slots];
        positions = new int[slots];
        active = new boolean[slots];
    }

    /** Rows of the decode run, idle ones included; 0 when nothing is decoded in this step. */
    public int decodeRows() {
        return decodeRows;
    }

    /** Rows whose logits are read. */
    public int activeRows() {
        return activeRows;
    }

    /** Token that a decode row computes; 0 for an idle row. */
    public int token(int row) {
        return tokens[row];
    }

    /** Tokens already in the row's slot, which is the position of the token that it computes. */
    public int position(int row) {
        return positions[row];
    }

    public boolean isActive(int row) {
        return active[row];
    }

    /** Prefill chunks in the order in which they are computed. */
    public List<PrefillChunk> chunks() {
        return chunksSeen;
    }

    /** Blocks to copy out of their slots before anything else, in order: a slot may have been given away since. */
    public List<BlockCopy> saves() {
        return savesSeen;
    }

    /** Slots that hold nothing of use any more once the saves are made: what memory they have taken others may take. */
    public List<Integer> releases() {
        return releasesSeen;
    }

    /** Moves to make before anything is computed, in order. */
    public List<SlotMove> moves() {
        return movesSeen;
    }

    /** Blocks to copy into slots after the moves and before anything is computed; they may be this step's own saves. */
    public List<BlockCopy> loads() {
        return loadsSeen;
    }

    public boolean isEmpty() {
        return decodeRows == 0 && chunks.isEmpty() && saves.isEmpty() && loads.isEmpty();
    }

    /** Forgets everything, ready for the next step. */
    public void clear() {
        for (int row = 0; row < decodeRows; row++) {
            active[row] = false;
        }
        decodeRows = 0;
        activeRows = 0;
        chunks.clear();
        saves.clear();
        releases.clear();
        moves.clear();
        loads.clear();
    }

    /** Adds a decode row; rows must be added from 0 upwards without gaps. */
    public void addDecodeRow(int token, int position) {
        addRow(token, position, true);
        activeRows++;
    }

    /** Adds a row that is computed only because it lies inside the contiguous range. */
    public void addIdleRow(int position) {
        addRow(0, position, false);
    }

    public void addChunk(PrefillChunk chunk) {
        chunks.add(chunk);
    }

    public void addSave(int slot, int start, int block) {
        saves.add(new BlockCopy(slot, start, block));
    }

    public void addRelease(int slot) {
        releases.add(slot);
    }

    public void addLoad(int block, int slot, int start) {
        loads.add(new BlockCopy(slot, start, block));
    }

    public void addMove(int from, int to, int cachedTokens) {
        moves.add(new SlotMove(from, to, cachedTokens));
    }

    private void addRow(int token, int position, boolean isActive) {
        tokens[decodeRows] = token;
        positions[decodeRows] = position;
        active[decodeRows] = isActive;
        decodeRows++;
    }
}
