package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Tables of shared blocks do what copies between slots and pool would do. Blocks are played by arrays, and slots and pool that
 * copy stand beside them.
 */
class BlockTablesTest {
    private static final int SLOTS = 5;
    private static final int BLOCKS_PER_SLOT = 4;
    private static final int POOL = 3;
    private static final int BLOCK = 4;
    private static final int TOKENS = BLOCKS_PER_SLOT * BLOCK;

    private final BlockTables tables = new BlockTables(SLOTS, BLOCKS_PER_SLOT, SLOTS * BLOCKS_PER_SLOT, POOL, BLOCK);
    private final int[] memory = new int[BlockTables.blocks(SLOTS * BLOCKS_PER_SLOT, POOL) * BLOCK];
    private int copies;

    private void copy(int from, int to) {
        copies++;
        System.arraycopy(memory, from * BLOCK, memory, to * BLOCK, BLOCK);
    }

    private void write(int slot, int start, int length, int value) {
        tables.prepare(slot, start, length, this::copy);
        for (int position = start; position < start + length; position++) {
            memory[tables.place(slot, position)] = value + position;
        }
    }

    private int read(int slot, int position) {
        return memory[tables.block(slot, position / BLOCK) * BLOCK + position % BLOCK];
    }

    @Test
    void whateverIsSavedMovedLoadedAndWrittenReadsAsIfItHadBeenCopied() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        Random random = new Random(seed);
        int[][] slots = new int[SLOTS][TOKENS];
        int[] lengths = new int[SLOTS];
        int[][] pool = new int[POOL][BLOCK];
        boolean[] isSaved = new boolean[POOL];
        for (int turn = 1; turn < 20_000; turn++) {
            int slot = random.nextInt(SLOTS);
            int place = random.nextInt(POOL);
            switch (random.nextInt(6)) {
                case 0 -> { // another sequence begins
                    lengths[slot] = 0;
                    if (random.nextBoolean()) {
                        tables.release(slot);
                    }
                }
                case 1 -> {
                    int start = BLOCK * random.nextInt(BLOCKS_PER_SLOT);
                    if (start + BLOCK <= lengths[slot]) {
                        tables.save(slot, start, place);
                        System.arraycopy(slots[slot], start, pool[place], 0, BLOCK);
                        isSaved[place] = true;
                    }
                }
                case 2 -> {
                    int start = lengths[slot] / BLOCK * BLOCK;
                    if (isSaved[place] && start == lengths[slot] && start < TOKENS) {
                        tables.load(place, slot, start);
                        System.arraycopy(pool[place], 0, slots[slot], start, BLOCK);
                        lengths[slot] += BLOCK;
                    }
                }
                case 3 -> {
                    int to = random.nextInt(SLOTS);
                    if (to != slot) {
                        tables.move(slot, to, lengths[slot]);
                        System.arraycopy(slots[slot], 0, slots[to], 0, lengths[slot]);
                        lengths[to] = lengths[slot];
                        lengths[slot] = 0;
                    }
                }
                default -> {
                    int start = random.nextInt(lengths[slot] + 1); // possibly what is there already, once more
                    int length = Math.min(TOKENS - start, 1 + random.nextInt(6));
                    if (length > 0) {
                        write(slot, start, length, 1000 * turn);
                        for (int position = start; position < start + length; position++) {
                            slots[slot][position] = 1000 * turn + position;
                        }
                        lengths[slot] = start + length;
                    }
                }
            }
            for (int each = 0; each < SLOTS; each++) {
                for (int position = 0; position < lengths[each]; position++) {
                    assertThat(read(each, position))
                            .as("token %d of slot %d after turn %d of seed %d", position, each, turn, seed)
                            .isEqualTo(slots[each][position]);
                }
            }
        }
        assertThat(copies).isPositive();
    }

    @Test
    void aBlockThatIsSavedAndLoadedIsTheSameBlockAndNothingIsCopied() {
        write(0, 0, 2 * BLOCK, 100);
        tables.save(0, 0, 1);
        tables.load(1, 3, 0);
        assertThat(tables.block(3, 0)).isEqualTo(tables.block(0, 0));
        write(3, BLOCK, 2, 500);
        assertThat(read(3, 1)).isEqualTo(101);
        assertThat(copies).isZero();
    }

    @Test
    void aSequenceThatWritesIntoASharedBlockGetsItsOwnWithWhatCameBefore() {
        write(0, 0, BLOCK, 100);
        tables.save(0, 0, 1);
        write(0, 2, 1, 700);
        assertThat(read(0, 0)).isEqualTo(100);
        assertThat(read(0, 2)).isEqualTo(702);
        tables.load(1, 3, 0);
        assertThat(read(3, 2)).isEqualTo(102);
        assertThat(copies).isOne();
    }

    @Test
    void aMoveTakesTheBlocksAlongAndCopiesNothing() {
        write(0, 0, BLOCK + 1, 100);
        int free = tables.freeBlocks();
        tables.move(0, 1, BLOCK + 1);
        write(1, BLOCK + 1, 1, 700);
        assertThat(read(1, BLOCK)).isEqualTo(104);
        assertThat(tables.block(0, 0)).isZero();
        assertThat(tables.freeBlocks()).isEqualTo(free);
        assertThat(copies).isZero();
    }

    @Test
    void whatASlotHeldIsFreeOnceItIsReleasedButForWhatThePoolHolds() {
        int all = tables.freeBlocks();
        write(0, 0, 2 * BLOCK + 1, 100);
        assertThat(tables.freeBlocks()).isEqualTo(all - 3);
        tables.save(0, 0, 1);
        tables.release(0);
        assertThat(tables.freeBlocks()).isEqualTo(all - 1);
        tables.load(1, 2, 0);
        assertThat(read(2, 3)).isEqualTo(103);
    }

    @Test
    void nextSequenceOfASlotUsesItsBlocksAgain() {
        int all = tables.freeBlocks();
        for (int sequence = 0; sequence < 50; sequence++) {
            write(0, 0, TOKENS, sequence);
        }
        assertThat(tables.freeBlocks()).isEqualTo(all - BLOCKS_PER_SLOT);
        assertThat(copies).isZero();
    }

    @Test
    void slotsAndPoolCanAllBeFull() {
        for (int slot = 0; slot < SLOTS; slot++) {
            write(slot, 0, TOKENS, slot);
        }
        for (int place = 0; place < POOL; place++) {
            tables.save(place, 0, place);
            write(place, 0, TOKENS, 50 + place);
        }
        assertThat(tables.freeBlocks()).isZero();
        int[] firsts = new int[SLOTS];
        Arrays.setAll(firsts, slot -> read(slot, 0));
        assertThat(firsts).containsExactly(50, 51, 52, 3, 4);
    }
}
