package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.util.Arrays;
import java.util.Random;

/**
 * Tries on a few tokens how far a model's arithmetic may be relied upon. It leaves traces in the slots, so it comes before the
 * first step. Static functions; used by the thread that owns the runner.
 */
final class NumericsProbe {
    private static final int TOKENS = 16;
    private static final int MOST_ROWS = 4;

    private NumericsProbe() {}

    /**
     * Whether a token leaves the same bits when it is decoded as in a chunk. Only integer arithmetic can: with an
     * eight-bit cache attention has it, and whether the weights have it too is tried.
     */
    static boolean decodesLikePrefill(OnnxModelRunner runner) {
        if (runner.cache().shape().type() != TensorType.INT8) {
            return false;
        }
        ModelShape shape = runner.shape();
        int[] text = new Random(1).ints(TOKENS, 0, shape.vocabularySize()).toArray();
        StepPlan plan = new StepPlan(shape.slots());
        plan.addChunk(new PrefillChunk(0, text, 0, text.length, true));
        float[] prefilled = row(runner.run(plan), shape.slots());
        byte[] left = runner.cache().bytes(0, text.length);
        float[] decoded = prefilled;
        for (int position = 0; position < text.length; position++) {
            plan.clear();
            plan.addDecodeRow(text[position], position);
            decoded = row(runner.run(plan), 0);
        }
        return Arrays.equals(prefilled, decoded)
                && Arrays.equals(left, runner.cache().bytes(0, text.length));
    }

    /**
     * Whether tokens that are computed and scored together give the same bits, in scores and cache, as one after the other. As
     * for {@link #decodesLikePrefill}, only integer arithmetic can.
     */
    static boolean scoresLikeDecode(OnnxModelRunner runner) {
        ModelShape shape = runner.shape();
        if (runner.cache().shape().type() != TensorType.INT8 || shape.maxTokens() < TOKENS) {
            return false;
        }
        int[] text = new Random(3).ints(TOKENS, 0, shape.vocabularySize()).toArray();
        float[][] decoded = new float[TOKENS][];
        StepPlan plan = new StepPlan(shape.slots());
        for (int position = 0; position < TOKENS; position++) {
            plan.clear();
            plan.addDecodeRow(text[position], position);
            decoded[position] = row(runner.run(plan), 0);
        }
        byte[] left = runner.cache().bytes(0, TOKENS);
        boolean isSame = true;
        for (int length = 2; length <= shape.draftTokens() + 1; length++) {
            int start = TOKENS - length;
            plan.clear();
            plan.addChunk(new PrefillChunk(0, text, start, length, length));
            Logits scores = runner.run(plan);
            for (int i = 0; i < length; i++) {
                isSame &= Arrays.equals(decoded[start + i], row(scores, shape.slots() + i));
            }
            isSame &= Arrays.equals(left, runner.cache().bytes(0, TOKENS));
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
