package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.util.List;

/**
 * The model alone, without engine or server: prefills some sequences, a few at a time, and then decodes them together,
 * greedily. What it measures is the ceiling of everything built on top. Static functions; used by one thread, which owns
 * the runner meanwhile.
 */
public final class BareLoop {
    private BareLoop() {}

    /**
     * Generates from all prompts.
     *
     * @param prompts as long as each other
     * @param newTokens tokens generated for each sequence; the first comes out of the prefill
     * @param prefillChunk tokens of a prompt computed in one run at most
     * @param together prompts computed in one run at most
     * @throws IllegalArgumentException if that does not fit the runner's slots or their length
     */
    public static TokenTimes run(
            ModelRunner runner, List<int[]> prompts, int newTokens, int prefillChunk, int together) {
        ModelShape shape = runner.shape();
        int sequences = prompts.size();
        int promptTokens = prompts.getFirst().length;
        if (prefillChunk < 1 || together < 1) {
            throw new IllegalArgumentException("prefill chunk is " + prefillChunk + " and prompts in one run "
                    + together + " but both must be at least 1");
        }
        if (sequences > shape.slots()) {
            throw new IllegalArgumentException(sequences + " sequences do not fit " + shape.slots() + " slots");
        }
        if (promptTokens + newTokens > shape.maxTokens()) {
            throw new IllegalArgumentException(promptTokens + " prompt tokens and " + newTokens
                    + " new tokens do not fit a context of " + shape.maxTokens());
        }
        int blocks = sequences * shape.cacheBlocks().holding(promptTokens + newTokens - 1);
        if (blocks > shape.cacheBlocks().count()) {
            throw new IllegalArgumentException(sequences + " sequences of " + (promptTokens + newTokens)
                    + " tokens need " + blocks + " cache blocks, but there are "
                    + shape.cacheBlocks().count());
        }
        StepPlan plan = new StepPlan(shape.slots());
        int[] next = new int[sequences];
        float[] scores = new float[shape.vocabularySize()];
        TokenClock clock = new TokenClock(sequences, newTokens);
        for (int slot = 0; slot < sequences; slot += together) {
            int end = Math.min(sequences, slot + together);
            Logits logits = prefill(runner, plan, slot, prompts.subList(slot, end), prefillChunk);
            for (int i = slot; i < end; i++) {
                next[i] = argmax(logits, shape.slots() + i - slot, scores);
                clock.arrived(i);
            }
        }
        for (int position = promptTokens; position < promptTokens + newTokens - 1; position++) {
            plan.clear();
            for (int token : next) {
                plan.addDecodeRow(token, position);
            }
            Logits logits = runner.run(plan);
            for (int row = 0; row < sequences; row++) {
                next[row] = argmax(logits, row, scores);
                clock.arrived(row);
            }
        }
        return clock.stop();
    }

    /** The logits after the last tokens of some prompts, as long as each other, in slots from one on. */
    private static Logits prefill(ModelRunner runner, StepPlan plan, int slot, List<int[]> prompts, int chunkLength) {
        int promptTokens = prompts.getFirst().length;
        for (int start = 0; ; start += chunkLength) {
            int length = Math.min(chunkLength, promptTokens - start);
            boolean isLast = start + length == promptTokens;
            plan.clear();
            for (int i = 0; start == 0 && i < runner.shape().slots() - slot; i++) {
                plan.addRelease(slot + i); // what an earlier run left
            }
            for (int i = 0; i < prompts.size(); i++) {
                plan.addChunk(new PrefillChunk(slot + i, prompts.get(i), start, length, isLast));
            }
            Logits logits = runner.run(plan);
            if (isLast) {
                return logits;
            }
        }
    }

    private static int argmax(Logits logits, int row, float[] scores) {
        if (logits.ranked() > 0) {
            return logits.rankedToken(row, 0);
        }
        logits.read(row, scores);
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }
}
