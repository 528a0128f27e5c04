package dev.weir.onnx;

import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What a step sends to a graph with paged attention: the tokens of all its sequences one after the other, and where their
 * cache lies, in one piece of memory that goes to the device in one copy. Its size depends on the step's tokens and on the
 * longest context that there may be, not on what the sequences hold. Owned by the engine thread.
 *
 * <p>The decode rows that are active come first, in order, then the chunks. Logits are wanted of each row and of the chunks
 * that say so.
 */
final class PagedStep {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    /** What the device reads at once. */
    private static final long ALIGNMENT = 256;

    private final MemorySegment memory;
    private final BlockTables tables;
    private final int blocksPerSlot;
    /** Index among the wanted logits of each decode row and, after the slots, of each chunk. */
    private final int[] indices;

    private final int slots;

    private Layout layout = Layout.NONE;
    private int sequences;
    private int tokens;
    private int wanted;
    private int longestPiece;
    private int longestSequence;

    /**
     * Where the parts of a step lie, in bytes from its beginning.
     *
     * @param tokens of all sequences
     * @param sequences rows of the block table
     * @param wanted tokens whose logits are wanted
     * @param blocksPerSlot columns of the block table
     */
    record Layout(int tokens, int sequences, int wanted, int blocksPerSlot) {
        private static final Layout NONE = new Layout(0, 0, 0, 0);

        /** int64 [tokens]. */
        long ids() {
            return 0;
        }

        /** int64 [tokens]. */
        long positions() {
            return after(ids(), Long.BYTES * (long) tokens);
        }

        /** int32 [tokens], where keys and values are written. */
        long places() {
            return after(positions(), Long.BYTES * (long) tokens);
        }

        /** int32 [sequences + 1]. */
        long cumulative() {
            return after(places(), Integer.BYTES * (long) tokens);
        }

        /** int32 [sequences]. */
        long past() {
            return after(cumulative(), Integer.BYTES * (sequences + 1L));
        }

        /** int32 [sequences, blocksPerSlot]. */
        long table() {
            return after(past(), Integer.BYTES * (long) sequences);
        }

        /** int32 [wanted]. */
        long indices() {
            return after(table(), Integer.BYTES * (long) sequences * blocksPerSlot);
        }

        long bytes() {
            return after(indices(), Integer.BYTES * (long) wanted);
        }

        private static long after(long start, long bytes) {
            return (start + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        }
    }

    /**
     * A step to be packed into that memory.
     *
     * @param slots of the engine
     * @param maxChunks prefill chunks of a step at most
     */
    PagedStep(MemorySegment memory, BlockTables tables, int slots, int maxChunks, int blocksPerSlot) {
        this.memory = memory;
        this.tables = tables;
        this.slots = slots;
        this.blocksPerSlot = blocksPerSlot;
        indices = new int[slots + maxChunks];
    }

    /** Tokens that a plan computes. */
    static int tokens(StepPlan plan) {
        int tokens = plan.activeRows();
        for (int i = 0; i < plan.chunks().size(); i++) {
            tokens += plan.chunks().get(i).length();
        }
        return tokens;
    }

    /**
     * Packs a plan whose blocks are prepared.
     *
     * @param rows to which a step of decode rows alone is filled up, with rows that write nothing and that nobody reads;
     *     otherwise the sequences of the plan
     */
    void pack(StepPlan plan, int rows) {
        int chunks = plan.chunks().size();
        int own = plan.activeRows() + chunks;
        int ownWanted = plan.activeRows();
        for (int i = 0; i < chunks; i++) {
            ownWanted += plan.chunks().get(i).wantsLogits() ? 1 : 0;
        }
        int padding = Math.max(0, rows - own);
        // A graph gives the logits of one token at least.
        layout = new Layout(tokens(plan) + padding, own + padding, Math.max(1, ownWanted + padding), blocksPerSlot);
        sequences = 0;
        tokens = 0;
        wanted = 0;
        longestPiece = 1;
        longestSequence = 1;
        memory.set(INT, layout.cumulative(), 0);
        for (int row = 0; row < plan.decodeRows(); row++) {
            if (plan.isActive(row)) {
                int position = plan.position(row);
                token(plan.token(row), position, tables.place(row, position));
                want(row);
                sequence(row, position, 1);
            }
        }
        for (int i = 0; i < chunks; i++) {
            PrefillChunk chunk = plan.chunks().get(i);
            int end = chunk.start() + chunk.length();
            for (int position = chunk.start(); position < end; position++) {
                token(chunk.tokens()[position], position, tables.place(chunk.slot(), position));
            }
            if (chunk.wantsLogits()) {
                want(slots + i);
            }
            sequence(chunk.slot(), chunk.start(), chunk.length());
        }
        for (int i = 0; i < padding; i++) {
            token(0, 0, -1);
            memory.set(INT, layout.indices() + (long) Integer.BYTES * wanted++, tokens - 1);
            padSequence();
        }
        if (wanted == 0) {
            memory.set(INT, layout.indices(), 0);
        }
    }

    private void token(int id, int position, int place) {
        memory.set(LONG, layout.ids() + (long) Long.BYTES * tokens, id);
        memory.set(LONG, layout.positions() + (long) Long.BYTES * tokens, position);
        memory.set(INT, layout.places() + (long) Integer.BYTES * tokens, place);
        tokens++;
    }

    /** The latest token's logits are wanted for that row of the plan. */
    private void want(int row) {
        indices[row] = wanted;
        memory.set(INT, layout.indices() + (long) Integer.BYTES * wanted, tokens - 1);
        wanted++;
    }

    private void sequence(int slot, int past, int length) {
        long row = layout.table() + (long) Integer.BYTES * blocksPerSlot * sequences;
        for (int i = 0; i < blocksPerSlot; i++) {
            memory.set(INT, row + (long) Integer.BYTES * i, tables.block(slot, i));
        }
        memory.set(INT, layout.past() + (long) Integer.BYTES * sequences, past);
        endSequence();
        longestPiece = Math.max(longestPiece, length);
        longestSequence = Math.max(longestSequence, past + length);
    }

    private void padSequence() {
        long row = layout.table() + (long) Integer.BYTES * blocksPerSlot * sequences;
        memory.asSlice(row, (long) Integer.BYTES * blocksPerSlot).fill((byte) 0);
        memory.set(INT, layout.past() + (long) Integer.BYTES * sequences, 0);
        endSequence();
    }

    private void endSequence() {
        sequences++;
        memory.set(INT, layout.cumulative() + (long) Integer.BYTES * sequences, tokens);
    }

    /** Where the packed step's parts lie. */
    Layout layout() {
        return layout;
    }

    /** Most new tokens of a sequence. */
    int longestPiece() {
        return longestPiece;
    }

    /** Most tokens of a sequence, the new ones included. */
    int longestSequence() {
        return longestSequence;
    }

    /** Tokens whose logits somebody reads. */
    int wanted() {
        return wanted;
    }

    /** Where the logits of a row of the plan are among the wanted ones. */
    int index(int row) {
        return indices[row];
    }
}
