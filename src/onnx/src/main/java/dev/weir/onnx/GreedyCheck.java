package dev.weir.onnx;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepPlan;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import reactor.core.publisher.Flux;

/**
 * The greedy answers of the same weights on GPU and CPU, all requests at once. Where two answers part, the CPU's logits of the
 * two tokens must be so close that the kind of numbers that the GPU's cache is of, half floats, bfloat16 or eight bits, cannot tell
 * them apart. Static functions.
 */
final class GreedyCheck {
    /** Roundings of a logit's size that the GPU may be off after all layers: those of half floats stay below one. */
    private static final double ROUNDINGS = 4;

    private GreedyCheck() {}

    static boolean run(
            ModelFolder cuda,
            ModelFolder cpu,
            int count,
            int newTokens,
            int maxTokens,
            CudaPlatform platform,
            PrintStream out) {
        RunnerOptions cpuOptions = new RunnerOptions(16, 0, maxTokens, 0);
        RunnerOptions gpuOptions = new RunnerOptions(64, 0, maxTokens, 0);
        List<int[]> prompts = new ArrayList<>();
        List<int[]> expected;
        OnnxModelRunner first = OnnxModelRunner.open(cpu, cpuOptions);
        Random random = new Random(7);
        for (int i = 0; i < count; i++) {
            int length = 1 + random.nextInt(first.shape().maxTokens() - newTokens);
            prompts.add(random.ints(length, 0, first.shape().vocabularySize()).toArray());
        }
        expected = answers(first, EngineConfig.DEFAULT, prompts, newTokens);
        PagedModelRunner gpu = PagedModelRunner.open(cuda, gpuOptions, CudaOptions.DEFAULT, platform);
        int fraction = gpu.cacheFraction();
        List<int[]> found =
                answers(gpu, new EngineConfig(count, Integer.MAX_VALUE, 4096, 1024, 32), prompts, newTokens);
        int same = 0;
        int ties = 0;
        double largest = 0;
        try (OnnxModelRunner runner = OnnxModelRunner.open(cpu, cpuOptions)) {
            for (int i = 0; i < count; i++) {
                int at = Arrays.mismatch(expected.get(i), found.get(i));
                if (at < 0) {
                    same++;
                    continue;
                }
                float[] logits = logits(runner, prompts.get(i), expected.get(i), at);
                float best = logits[expected.get(i)[at]];
                double margin = best - logits[found.get(i)[at]];
                largest = Math.max(largest, margin);
                double rounding = Math.scalb(1.0, Math.getExponent(best) - fraction);
                ties += margin <= ROUNDINGS * rounding ? 1 : 0;
            }
        }
        boolean isGood = same + ties == count;
        out.printf(
                "%s greedy tokens: %d of %d answers as the CPU's, %d part at a tie in %d bits (largest margin %.4f)%n",
                isGood ? "ok    " : "FAILED", same, count, ties, fraction + 1, largest);
        return isGood;
    }

    private static List<int[]> answers(ModelRunner runner, EngineConfig config, List<int[]> prompts, int newTokens) {
        try (Engine engine = Engine.start(runner, config, EngineListener.NONE)) {
            List<int[]> answers = Flux.range(0, prompts.size())
                    .flatMapSequential(
                            i -> engine.generate(new GenerationRequest(
                                            "greedy-" + i, prompts.get(i), SamplingParams.greedyExactly(newTokens)))
                                    .flatMapIterable(output -> Arrays.stream(output.tokenIds())
                                            .boxed()
                                            .toList())
                                    .collectList()
                                    .map(tokens -> tokens.stream()
                                            .mapToInt(Integer::intValue)
                                            .toArray()),
                            128)
                    .collectList()
                    .block();
            return Objects.requireNonNull(answers, "a list, possibly empty");
        }
    }

    private static float[] logits(ModelRunner runner, int[] prompt, int[] answer, int tokens) {
        int[] text = Arrays.copyOf(prompt, prompt.length + tokens);
        System.arraycopy(answer, 0, text, prompt.length, tokens);
        StepPlan plan = new StepPlan(runner.shape().slots());
        plan.addChunk(new PrefillChunk(0, text, 0, text.length, true));
        float[] row = new float[runner.shape().vocabularySize()];
        runner.run(plan).read(runner.shape().slots(), row);
        return row;
    }
}
