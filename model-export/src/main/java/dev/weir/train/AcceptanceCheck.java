package dev.weir.train;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Whether an exported model computes what its weights mean: its logits on some texts against a trusted computation of the
 * same weights. Immutable; any thread.
 *
 * <p>Each text's first half goes in as one prefill and the rest token by token, so both ways through the graph are seen.
 *
 * @param positions logits compared
 * @param largestDifference largest difference of a logit
 * @param worstCosine least cosine between the logits of one position and the trusted ones
 * @param meanDivergence mean Kullback-Leibler divergence of the predictions from the trusted ones, in nats
 * @param lossRise how much more loss the model has on the texts' next tokens, in nats per token
 */
record AcceptanceCheck(
        int positions, double largestDifference, double worstCosine, double meanDivergence, double lossRise) {
    /** The same arithmetic in another order. */
    private static final double FP32_LARGEST_DIFFERENCE = 1e-3;

    // What rounding does to a sound export is far below these, and a wrong scale far above.
    private static final double FP16_WORST_COSINE = 0.999;
    private static final double FP16_MEAN_DIVERGENCE = 1e-3;
    private static final double INT8_WORST_COSINE = 0.98;
    private static final double INT8_MEAN_DIVERGENCE = 0.02;
    private static final double INT8_LOSS_RISE = 0.02;

    /**
     * Four bits change predictions for good. Trained models lose a hundredth of a nat; one that loses more than this has
     * weights that four bits do not hold. Of random weights it says little, and their graph is checked without the rounding.
     */
    private static final double INT4_MEAN_DIVERGENCE = 0.2;

    /** Runs the model in {@code folder} on the texts, each of two tokens at least. */
    static AcceptanceCheck of(Path folder, ReferenceModel reference, List<int[]> texts) {
        int positions = 0;
        double largest = 0;
        double cosine = 1;
        double divergence = 0;
        double rise = 0;
        int predictions = 0;
        int length = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
        try (OnnxModelRunner runner =
                OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(1, 0, length, 0))) {
            StepPlan plan = new StepPlan(1);
            for (int[] text : texts) {
                float[][] expected = reference.logits(text);
                int prefix = (text.length + 1) / 2;
                for (int last = prefix - 1; last < text.length; last++) {
                    float[] actual = last < prefix
                            ? prefill(runner, plan, text, prefix)
                            : decode(runner, plan, text[last], last);
                    positions++;
                    largest = Math.max(largest, LogProbabilities.largestDifference(expected[last], actual));
                    cosine = Math.min(cosine, LogProbabilities.cosine(expected[last], actual));
                    divergence += LogProbabilities.divergence(expected[last], actual);
                    if (last + 1 < text.length) {
                        int next = text[last + 1];
                        rise += LogProbabilities.loss(actual, next) - LogProbabilities.loss(expected[last], next);
                        predictions++;
                    }
                }
            }
        }
        return new AcceptanceCheck(positions, largest, cosine, divergence / positions, rise / predictions);
    }

    /** Whether the differences are those of the precision and no more; a NaN anywhere is not. */
    boolean accepts(Precision precision) {
        return switch (precision) {
            case FP32 -> largestDifference <= FP32_LARGEST_DIFFERENCE;
            case FP16 -> worstCosine >= FP16_WORST_COSINE && meanDivergence <= FP16_MEAN_DIVERGENCE;
            case INT8 ->
                worstCosine >= INT8_WORST_COSINE
                        && meanDivergence <= INT8_MEAN_DIVERGENCE
                        && lossRise <= INT8_LOSS_RISE;
            case INT4 -> meanDivergence <= INT4_MEAN_DIVERGENCE;
        };
    }

    /** What is demanded of the precision, in words. */
    static String tolerance(Precision precision) {
        return switch (precision) {
            case FP32 -> "largest logit difference at most " + FP32_LARGEST_DIFFERENCE;
            case FP16 ->
                "cosine at least " + FP16_WORST_COSINE + ", mean divergence at most " + FP16_MEAN_DIVERGENCE + " nats";
            case INT8 ->
                "cosine at least " + INT8_WORST_COSINE + ", mean divergence at most " + INT8_MEAN_DIVERGENCE
                        + " nats, mean loss rise at most " + INT8_LOSS_RISE + " nats";
            case INT4 -> "mean divergence at most " + INT4_MEAN_DIVERGENCE + " nats";
        };
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d positions, largest logit difference %.2g, worst cosine %.6f, mean divergence %.2g nats, mean loss rise %.2g nats",
                positions,
                largestDifference,
                worstCosine,
                meanDivergence,
                lossRise);
    }

    private static float[] prefill(OnnxModelRunner runner, StepPlan plan, int[] text, int length) {
        plan.clear();
        plan.addChunk(new PrefillChunk(0, text, 0, length, true));
        return row(runner.run(plan), runner.shape().slots());
    }

    private static float[] decode(OnnxModelRunner runner, StepPlan plan, int token, int position) {
        plan.clear();
        plan.addDecodeRow(token, position);
        return row(runner.run(plan), 0);
    }

    private static float[] row(Logits logits, int row) {
        float[] values = new float[logits.vocabularySize()];
        logits.values().get(logits.offset(row), values);
        return values;
    }
}
