package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PagedStepTest {
    private static final int SLOTS = 4;
    private static final int BLOCK = 16;

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment memory = arena.allocate(1 << 16, 256).fill((byte) 0x55);
    private final BlockTables tables = new BlockTables(SLOTS, 2, 2 * SLOTS, 0, BLOCK);
    private final PagedStep step = new PagedStep(memory, tables, SLOTS, 8, 2);
    private final StepPlan plan = new StepPlan(SLOTS);

    @AfterEach
    void free() {
        arena.close();
    }

    private int[] ints(long offset, int count) {
        return memory.asSlice(offset, (long) Integer.BYTES * count).toArray(ValueLayout.JAVA_INT);
    }

    private long[] longs(long offset, int count) {
        return memory.asSlice(offset, (long) Long.BYTES * count).toArray(ValueLayout.JAVA_LONG);
    }

    private void prepare(int slot, int start, int length) {
        tables.prepare(slot, start, length, (from, to) -> {});
    }

    @Test
    void rowsAndChunksLieOneAfterTheOtherWithoutIdleRows() {
        prepare(0, 0, 18);
        prepare(2, 0, 4);
        prepare(3, 0, 19);
        plan.addDecodeRow(71, 17);
        plan.addIdleRow(0);
        plan.addDecodeRow(72, 3);
        int[] prompt = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 34, 35};
        plan.addChunk(new PrefillChunk(3, prompt, 0, 2, false));
        plan.addChunk(new PrefillChunk(3, prompt, 16, 3, true));
        step.pack(plan, 0);

        PagedStep.Layout layout = step.layout();
        assertThat(layout).isEqualTo(new PagedStep.Layout(7, 4, 3, 2));
        assertThat(longs(layout.ids(), 7)).containsExactly(71, 72, 0, 0, 33, 34, 35);
        assertThat(longs(layout.positions(), 7)).containsExactly(17, 3, 0, 1, 16, 17, 18);
        assertThat(ints(layout.cumulative(), 5)).containsExactly(0, 1, 2, 4, 7);
        assertThat(ints(layout.past(), 4)).containsExactly(17, 3, 0, 16);
        // Blocks are taken from 1 on: 1 and 2 are slot 0's, 3 is slot 2's, 4 and 5 are slot 3's.
        assertThat(ints(layout.table(), 8)).containsExactly(1, 2, 3, 0, 4, 5, 4, 5);
        assertThat(ints(layout.places(), 7)).containsExactly(33, 51, 64, 65, 80, 81, 82);
        assertThat(ints(layout.indices(), 3)).containsExactly(0, 1, 6);
        assertThat(step.longestPiece()).isEqualTo(3);
        assertThat(step.longestSequence()).isEqualTo(19);
        assertThat(step.index(0)).isZero();
        assertThat(step.index(2)).isOne();
        assertThat(step.index(SLOTS + 1)).isEqualTo(2);
    }

    @Test
    void whatFillsAStepUpWritesNothingAndReadsNobodysBlocks() {
        prepare(0, 0, 6);
        plan.addDecodeRow(71, 5);
        step.pack(plan, 3);

        PagedStep.Layout layout = step.layout();
        assertThat(layout).isEqualTo(new PagedStep.Layout(3, 3, 3, 2));
        assertThat(ints(layout.places(), 3)).containsExactly(21, -1, -1);
        assertThat(ints(layout.cumulative(), 4)).containsExactly(0, 1, 2, 3);
        assertThat(ints(layout.past(), 3)).containsExactly(5, 0, 0);
        assertThat(ints(layout.table(), 6)).containsExactly(1, 0, 0, 0, 0, 0);
        assertThat(ints(layout.indices(), 3)).containsExactly(0, 1, 2);
    }

    @Test
    void aStepThatWantsNoLogitsAsksForThoseOfOneToken() {
        prepare(1, 0, 4);
        plan.addChunk(new PrefillChunk(1, new int[] {5, 6, 7, 8}, 0, 4, false));
        step.pack(plan, 0);
        assertThat(step.layout().wanted()).isOne();
        assertThat(ints(step.layout().indices(), 1)).containsExactly(0);
    }

    @Test
    void itsBytesDoNotDependOnHowMuchIsCached() {
        prepare(0, 0, 2 * BLOCK);
        plan.addDecodeRow(71, 1);
        step.pack(plan, 0);
        long few = step.layout().bytes();
        plan.clear();
        plan.addDecodeRow(71, 2 * BLOCK - 1);
        step.pack(plan, 0);
        assertThat(step.layout().bytes()).isEqualTo(few);
    }

    @Test
    void batchesAreFilledUpToSizesThatGraphsAreRecordedFor() {
        int[] rows = {1, 2, 3, 4, 5, 8, 9, 16, 17, 63, 64, 100};
        int[] expected = {1, 2, 4, 4, 8, 8, 16, 16, 24, 64, 64, 100};
        for (int i = 0; i < rows.length; i++) {
            assertThat(PagedModelRunner.bucket(rows[i], 100))
                    .as("rows %d", rows[i])
                    .isEqualTo(expected[i]);
        }
    }
}
