package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.util.Arrays;
import java.util.Random;

/**
 * Tries on a few tokens how far a model's arithmetic may be relied upon. It leaves traces in the slots, so it comes before the
 * first step. Used by the thread that owns the runner.
 */
final class NumericsProbe {
    private static final int TOKENS = 16;
    private static final int MOST_ROWS = 4;

    private final OnnxModelRunner runner;
    private final ModelShape shape;
    private final int[] text;
    private final float[][] decoded = new float[TOKENS][];
    private final byte[] left;

    /** Decodes the tokens one after the other, with which the rest is compared. */
    NumericsProbe(OnnxModelRunner runner) {
        this.runner = runner;
        shape = runner.shape();
        text = new Random(1).ints(TOKENS, 0, shape.vocabularySize()).toArray();
        StepPlan plan = new StepPlan(shape.slots());
        for (int position = 0; position < TOKENS; position++) {
            plan.clear();
            plan.addDecodeRow(text[position], position);
            decoded[position] = row(runner.run(plan), 0);
        }
        left = runner.cache().bytes(0, TOKENS);
    }

    /**
     * Whether there is anything to try: only integer arithmetic gives the same bits in another order. With an eight-bit cache
     * attention has it, and whether the weights have it too is tried.
     */
    static boolean isWorthTrying(KvCache.Shape cache) {
        return cache.type() == TensorType.INT8 && cache.maxTokens() >= TOKENS;
    }

    /** Whether a token leaves the same bits when it is decoded as in a chunk. */
    boolean decodesLikePrefill() {
        return chunk(TOKENS, 1);
    }

    /** Whether so many tokens and fewer, computed and scored together, give the same bits as one after the other. */
    boolean scoresLikeDecode(int tokens) {
        boolean isSame = true;
        for (int length = 2; length <= tokens; length++) {
            isSame &= chunk(length, length);
        }
        return isSame;
    }

    /** Whether the last of the tokens, computed together, leave the same bits in the cache and in some of their scores. */
    private boolean chunk(int length, int scored) {
        StepPlan plan = new StepPlan(shape.slots());
        plan.addChunk(new PrefillChunk(0, text, TOKENS - length, length, scored));
        Logits scores = runner.run(plan);
        boolean isSame = Arrays.equals(left, runner.cache().bytes(0, TOKENS));
        for (int i = 0; i < scored; i++) {
            isSame &= Arrays.equals(decoded[TOKENS - scored + i], row(scores, shape.slots() + i));
        }
        return isSame;
    }

    /** Whether what a sequence gets is the same to the last bit whatever is computed beside it. */
    static boolean isBatchInvariant(OnnxModelRunner runner) {
        ModelShape shape = runner.shape();
        int rows = Math.min(MOST_ROWS, shape.slots());
        StepPlan plan = new StepPlan(shape.slots());
        Random random = new Random(2);
        boolean isSame = true;
        for (int position = 0; position < TOKENS; position++) {
            int token = random.nextInt(shape.vocabularySize());
            plan.clear();
            plan.addDecodeRow(token, position);
            float[] alone = row(runner.run(plan), 0);
            plan.clear();
            plan.addDecodeRow(token, position);
            for (int row = 1; row < rows; row++) {
                plan.addDecodeRow(random.nextInt(shape.vocabularySize()), position);
            }
            isSame &= Arrays.equals(alone, row(runner.run(plan), 0));
        }
        return isSame;
    }

    private static float[] row(Logits scores, int row) {
        float[] values = new float[scores.vocabularySize()];
        scores.read(row, values);
        return values;
    }
}
