package dev.weir.onnx;

import dev.weir.engine.BufferLogits;
import dev.weir.engine.CacheBlocks;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Blocks behind slots as {@link PagedModelRunner} has them, with numbers in place of a model: what follows a text depends on every
 * token of it, read back from the blocks in which the tables say that it lies.
 */
final class PagedToyRunner implements ModelRunner {
    static final int VOCABULARY = 50;

    private final ModelShape shape;
    private final BlockTables tables;
    private final int[] memory;
    private final BufferLogits logits;
    /** Blocks that nobody held, at the least. */
    volatile int fewestFree = Integer.MAX_VALUE;

    /** Blocks that nobody holds after the latest step. */
    volatile int free;

    PagedToyRunner(int slots, int maxTokens, CacheBlocks blocks, int poolBlocks) {
        shape = new ModelShape(
                        VOCABULARY, slots, maxTokens, new int[0], new PrefixPool(poolBlocks, blocks.tokens(), false))
                .withCacheBlocks(blocks);
        tables = new BlockTables(slots, blocks.holding(maxTokens), blocks.count(), poolBlocks, blocks.tokens());
        memory = new int[BlockTables.blocks(blocks.count(), poolBlocks) * blocks.tokens()];
        logits = new BufferLogits(FloatBuffer.allocate((slots + 64) * VOCABULARY), VOCABULARY);
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    public Logits run(StepPlan plan) {
        StepPlanCheck.check(plan, shape, 64);
        tables.apply(plan, this::copy);
        free = tables.freeBlocks();
        fewestFree = Math.min(fewestFree, free);
        for (int row = 0; row < plan.decodeRows(); row++) {
            if (plan.isActive(row)) {
                memory[tables.place(row, plan.position(row))] = plan.token(row);
            }
        }
        for (PrefillChunk chunk : plan.chunks()) {
            for (int i = chunk.start(); i < chunk.start() + chunk.length(); i++) {
                memory[tables.place(chunk.slot(), i)] = chunk.tokens()[i];
            }
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            if (plan.isActive(row)) {
                score(row, plan.position(row) + 1, row);
            }
        }
        for (int i = 0; i < plan.chunks().size(); i++) {
            PrefillChunk chunk = plan.chunks().get(i);
            score(chunk.slot(), chunk.start() + chunk.length(), shape.slots() + i);
        }
        return logits;
    }

    private void copy(int from, int to) {
        int tokens = shape.cacheBlocks().tokens();
        System.arraycopy(memory, from * tokens, memory, to * tokens, tokens);
    }

    private void score(int slot, int length, int row) {
        int blockTokens = shape.cacheBlocks().tokens();
        long hash = 17;
        for (int position = 0; position < length; position++) {
            int place = tables.block(slot, position / blockTokens) * blockTokens + position % blockTokens;
            hash = hash * 31 + memory[place];
        }
        int chosen = (int) Math.floorMod((hash * 0x9E3779B97F4A7C15L) >>> 20, (long) VOCABULARY);
        int offset = logits.offset(row);
        for (int token = 0; token < VOCABULARY; token++) {
            logits.values().put(offset + token, token == chosen ? 1 : 0);
        }
    }

    @Override
    public void close() {
        Arrays.fill(memory, -1);
    }
}
