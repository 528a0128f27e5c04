package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.time.Duration;
import java.util.Random;

/**
 * The model alone, without engine or server: prefills some sequences one after the other and then decodes them together,
 * greedily. What it measures is the ceiling of everything built on top. Static functions; used by one thread, which owns
 * the runner meanwhile.
 */
public final class BareLoop {
    private static final int WARM_UP_STEPS = 3;

    private BareLoop() {}

    /**
     * What to compute.
     *
     * @param sequences sequences decoded together
     * @param promptTokens random tokens of each prompt
     * @param newTokens tokens generated for each sequence; the first comes out of the prefill
     * @param prefillChunk tokens of a prompt computed in one run at most
     */
    public record Load(int sequences, int promptTokens, int newTokens, int prefillChunk) {
        public Load {
            if (sequences < 1 || promptTokens < 1 || newTokens < 2 || prefillChunk < 1) {
                throw new IllegalArgumentException("sequences " + sequences + ", prompt tokens " + promptTokens
                        + ", new tokens " + newTokens + ", prefill chunk " + prefillChunk
                        + ": new tokens must be at least 2, the others at least 1");
            }
        }
    }

    /**
     * How long it took.
     *
     * @param prefill computing all prompts and each sequence's first token
     * @param decode computing all other tokens
     */
    public record Result(Load load, Duration prefill, Duration decode) {
        public double prefillTokensPerSecond() {
            return perSecond((long) load.sequences() * load.promptTokens(), prefill);
        }

        public double decodeTokensPerSecond() {
            return perSecond((long) load.sequences() * (load.newTokens() - 1), decode);
        }

        /** Generated tokens over the whole time. */
        public double totalTokensPerSecond() {
            return perSecond((long) load.sequences() * load.newTokens(), prefill.plus(decode));
        }

        /** Mean time of one decode step. */
        public Duration step() {
            return decode.dividedBy(load.newTokens() - 1);
        }

        private static double perSecond(long tokens, Duration time) {
            return tokens * 1e9 / time.toNanos();
        }
    }

    /**
     * Computes the load once for the time and a little of it before to warm up.
     *
     * @throws IllegalArgumentException if the load does not fit the runner's slots or their length
     */
    public static Result run(OnnxModelRunner runner, Load load) {
        ModelShape shape = runner.shape();
        if (load.sequences() > shape.slots()) {
            throw new IllegalArgumentException(load.sequences() + " sequences do not fit " + shape.slots() + " slots");
        }
        if (load.promptTokens() + load.newTokens() > shape.maxTokens()) {
            throw new IllegalArgumentException(load.promptTokens() + " prompt tokens and " + load.newTokens()
                    + " new tokens do not fit a context of " + shape.maxTokens());
        }
        int[] prompt = new Random(1)
                .ints(load.promptTokens(), 0, shape.vocabularySize())
                .toArray();
        StepPlan plan = new StepPlan(shape.slots());
        int[] next = new int[load.sequences()];
        float[] scores = new float[shape.vocabularySize()];

        next[0] = prefill(runner, plan, 0, prompt, load.prefillChunk(), scores);
        decode(runner, plan, load.promptTokens(), Math.min(WARM_UP_STEPS, load.newTokens() - 1), next.clone(), scores);

        long start = System.nanoTime();
        for (int slot = 0; slot < load.sequences(); slot++) {
            next[slot] = prefill(runner, plan, slot, prompt, load.prefillChunk(), scores);
        }
        long prefilled = System.nanoTime();
        decode(runner, plan, load.promptTokens(), load.newTokens() - 1, next, scores);
        long end = System.nanoTime();
        return new Result(load, Duration.ofNanos(prefilled - start), Duration.ofNanos(end - prefilled));
    }

    private static int prefill(
            OnnxModelRunner runner, StepPlan plan, int slot, int[] prompt, int chunkLength, float[] scores) {
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

    private static void decode(
            OnnxModelRunner runner, StepPlan plan, int position, int steps, int[] next, float[] scores) {
        for (int step = 0; step < steps; step++) {
            plan.clear();
            for (int token : next) {
                plan.addDecodeRow(token, position + step);
            }
            Logits logits = runner.run(plan);
            for (int row = 0; row < next.length; row++) {
                next[row] = argmax(logits, row, scores);
            }
        }
    }

    private static int argmax(Logits logits, int row, float[] scores) {
        logits.values().get(logits.offset(row), scores);
        int best = 0;
        for (int i = 1; i < scores.length; i++) {
            if (scores[i] > scores[best]) {
                best = i;
            }
        }
        return best;
    }
}
