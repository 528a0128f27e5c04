package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.util.List;

/**
 * The model alone, without engine or server: prefills some sequences one after the other and then decodes them together,
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
     * @throws IllegalArgumentException if that does not fit the runner's slots or their length
     */
    public static TokenTimes run(ModelRunner runner, List<int[]> prompts, int newTokens, int prefillChunk) {
        ModelShape shape = runner.shape();
        int sequences = prompts.size();
        int promptTokens = prompts.getFirst().length;
        if (prefillChunk < 1) {
            throw new IllegalArgumentException("prefill chunk is " + prefillChunk + " but must be at least 1");
        }
        if (sequences > shape.slots()) {
            throw new IllegalArgumentException(sequences + " sequences do not fit " + shape.slots() + " slots");
        }
        if (promptTokens + newTokens > shape.maxTokens()) {
            throw new IllegalArgumentException(promptTokens + " prompt tokens and " + newTokens
                    + " new tokens do not fit a context of " + shape.maxTokens());
        }
        StepPlan plan = new StepPlan(shape.slots());
        int[] next = new int[sequences];
        float[] scores = new float[shape.vocabularySize()];
        TokenClock clock = new TokenClock(sequences, newTokens);
        for (int slot = 0; slot < sequences; slot++) {
            next[slot] = prefill(runner, plan, slot, prompts.get(slot), prefillChunk, scores);
            clock.arrived(slot);
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

    private static int prefill(
            ModelRunner runner, StepPlan plan, int slot, int[] prompt, int chunkLength, float[] scores) {
        int token = 0;
        for (int start = 0; start < prompt.length; start += chunkLength) {
            int length = Math.min(chunkLength, prompt.length - start);
            boolean last = start + length == prompt.length;
            plan.clear();
            plan.addChunk(new PrefillChunk(slot, prompt, start, length, last));
            Logits logits = runner.run(plan);
            if (last) {
                token = argmax(logits, runner.shape().slots(), scores);
            }
        }
        return token;
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
