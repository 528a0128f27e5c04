package dev.weir.server;

import dev.weir.engine.BufferLogits;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.StepPlan;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A model whose next token is a hash of all tokens before it: a token that is lost or changed changes the rest of the text.
 * Writes letters, spaces and two-byte characters, some of them cut; after a full stop it wants to end. A test can hold its
 * steps.
 */
final class FakeModel implements ModelRunner {
    /** What it writes with; the two bytes of an e with an acute accent come apart and together. */
    private static final byte[] ALPHABET =
            "abcdefghijklmnopqrstuvwxyz  ABCDEFGHIJKLMNOPQRST,.\"\\\u00e9\u00e9".getBytes(StandardCharsets.UTF_8);

    private final ModelShape shape;
    private final int[][] cache;
    private final int[][] blocks;
    private final int[] lengths;
    private final BufferLogits logits;
    private final long stepNanos;
    private final Semaphore steps = new Semaphore(1 << 30);

    /** Set by a test; the next step throws it. */
    volatile boolean failsNext;

    volatile int runs;

    /** Tokens that it was asked to choose. */
    volatile long chosenTokens;

    /** Set by a test: what all answers to conversations are from then on. */
    volatile @Nullable String script;

    FakeModel(int slots, int maxTokens, long stepNanos) {
        this(slots, maxTokens, stepNanos, PrefixPool.NONE);
    }

    FakeModel(int slots, int maxTokens, long stepNanos, PrefixPool pool) {
        shape = new ModelShape(TestModelFolder.VOCABULARY, slots, maxTokens, new int[] {TestModelFolder.EOS}, pool);
        blocks = new int[pool.blocks()][pool.blockTokens()];
        cache = new int[slots][maxTokens];
        lengths = new int[slots];
        logits = new BufferLogits(
                FloatBuffer.allocate((slots + 64) * TestModelFolder.VOCABULARY), TestModelFolder.VOCABULARY);
        this.stepNanos = stepNanos;
    }

    /** From now on no step is computed but those that {@link #allow} lets through. */
    void hold() {
        steps.drainPermits();
    }

    void allow(int count) {
        steps.release(count);
    }

    /** Computes freely again. */
    void release() {
        steps.drainPermits();
        steps.release(1 << 30);
    }

    @Override
    public ModelShape shape() {
        return shape;
    }

    @Override
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the engine thread
    public Logits run(StepPlan plan) {
        steps.acquireUninterruptibly();
        if (stepNanos > 0) {
            LockSupport.parkNanos(stepNanos); // the time that a model takes
        }
        runs++;
        chosenTokens += plan.activeRows()
                + plan.chunks().stream().filter(PrefillChunk::wantsLogits).count();
        if (failsNext) {
            failsNext = false;
            throw new IllegalStateException("the fake model was told to fail");
        }
        for (StepPlan.BlockCopy save : plan.saves()) {
            int[] block = blocks[save.block()];
            System.arraycopy(cache[save.slot()], save.start(), block, 0, block.length);
        }
        for (StepPlan.SlotMove move : plan.moves()) {
            System.arraycopy(cache[move.from()], 0, cache[move.to()], 0, move.tokens());
            Arrays.fill(cache[move.from()], -1);
        }
        for (StepPlan.BlockCopy load : plan.loads()) {
            int[] block = blocks[load.block()];
            System.arraycopy(block, 0, cache[load.slot()], load.start(), block.length);
        }
        for (int row = 0; row < plan.decodeRows(); row++) {
            cache[row][plan.position(row)] = plan.isActive(row) ? plan.token(row) : -1;
            if (plan.isActive(row)) {
                score(row, plan.position(row) + 1, row);
            }
        }
        for (int i = 0; i < plan.chunks().size(); i++) {
            PrefillChunk chunk = plan.chunks().get(i);
            System.arraycopy(chunk.tokens(), chunk.start(), cache[chunk.slot()], chunk.start(), chunk.length());
            if (chunk.wantsLogits()) {
                score(chunk.slot(), chunk.start() + chunk.length(), shape.slots() + i);
            }
        }
        return logits;
    }

    private void score(int slot, int length, int row) {
        lengths[slot] = length;
        long hash = 17;
        for (int i = 0; i < length; i++) {
            hash = hash * 31 + cache[slot][i];
        }
        String words = script;
        int chosen = words != null
                ? scripted(words.getBytes(StandardCharsets.UTF_8), slot, length)
                : cache[slot][length - 1] == '.'
                        ? TestModelFolder.EOS
                        : ALPHABET[Math.floorMod(Long.hashCode(hash * 0x9E3779B97F4A7C15L), ALPHABET.length)] & 0xFF;
        FloatBuffer values = logits.values();
        for (int token = 0; token < TestModelFolder.VOCABULARY; token++) {
            values.put(logits.offset(row) + token, token == chosen ? 4 : Math.floorMod(hash + token * 7L, 16) / 8f);
        }
    }

    /** The byte of the script that comes after so many tokens. */
    private int scripted(byte[] words, int slot, int length) {
        int start = length;
        while (cache[slot][start - 1] != TestModelFolder.TURN) {
            start--;
        }
        int at = length - start - "assistant\n".length();
        return at < words.length ? words[at] & 0xFF : TestModelFolder.EOS;
    }

    @Override
    public void close() {}
}
