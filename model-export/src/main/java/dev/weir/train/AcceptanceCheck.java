package dev.weir.train;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

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
 * @param loss what the trusted predictions lose on the texts' next tokens, in nats per token
 * @param lossRise how much more loss the model has on the texts' next tokens, in nats per token
 * @param headError size of the differences in what the head of a fine-tuned model says, over the size of that; empty without
 *     a head
 */
record AcceptanceCheck(
        int positions,
        double largestDifference,
        double worstCosine,
        double meanDivergence,
        double loss,
        double lossRise,
        OptionalDouble headError) {
    /** The same arithmetic in another order. */
    private static final double FP32_LARGEST_DIFFERENCE = 1e-3;

    // What rounding does to a sound export is far below these, and a wrong scale far above.
    private static final double FP16_WORST_COSINE = 0.999;
    private static final double FP16_MEAN_DIVERGENCE = 1e-3;
    /** Three bits less: rounding is eight times as large and divergence 64 times, still far below these. */
    private static final double BF16_WORST_COSINE = 0.99;

    private static final double BF16_MEAN_DIVERGENCE = 0.01;
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
        return of(folder, null, reference, texts);
    }

    /** Runs the model in {@code folder} with an adapter beside it, if one is named. */
    static AcceptanceCheck of(Path folder, @Nullable Path adapter, ReferenceModel reference, List<int[]> texts) {
        int positions = 0;
        double largest = 0;
        double cosine = 1;
        double divergence = 0;
        double loss = 0;
        double rise = 0;
        int predictions = 0;
        int length = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
        try (OnnxModelRunner runner =
                OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(1, 0, length, 0), adapter)) {
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
                        double trusted = LogProbabilities.loss(expected[last], next);
                        loss += trusted;
                        rise += LogProbabilities.loss(actual, next) - trusted;
                        predictions++;
                    }
                }
            }
        }
        return new AcceptanceCheck(
                positions,
                largest,
                cosine,
                divergence / positions,
                loss / predictions,
                rise / predictions,
                adapter == null ? headError(folder, reference, texts) : OptionalDouble.empty());
    }

    /** The head's answers to the halves and the wholes of the texts, which are all answers that there are. */
    private static OptionalDouble headError(Path folder, ReferenceModel reference, List<int[]> texts) {
        Optional<HeadedModel> trusted = reference.headed();
        if (trusted.isEmpty()) {
            return OptionalDouble.empty();
        }
        TaskHead head = trusted.get().head();
        List<TaskExample> examples = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            int[] whole = texts.get(i);
            int[] half = Arrays.copyOf(whole, (whole.length + 1) / 2);
            boolean isPair = head.task() == FinetuneTask.SIMILARITY || head.task() == FinetuneTask.MULTIPLE_CHOICE;
            int[][] sequences = isPair ? new int[][] {whole, half} : new int[][] {whole};
            examples.add(new TaskExample(sequences, 0, false));
            examples.add(new TaskExample(isPair ? new int[][] {half, whole} : new int[][] {half}, 0, false));
        }
        List<float[]> expected = trusted.get().outputs(examples);
        int longest = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
        try (OnnxTaskModel exported = OnnxTaskModel.open(folder, head, longest, 0)) {
            List<float[]> actual = exported.outputs(examples);
            double size = 0;
            double error = 0;
            for (int i = 0; i < examples.size(); i++) {
                for (int j = 0; j < expected.get(i).length; j++) {
                    double difference = (double) actual.get(i)[j] - expected.get(i)[j];
                    error += difference * difference;
                    size += (double) expected.get(i)[j] * expected.get(i)[j];
                }
            }
            return OptionalDouble.of(error == 0 ? 0 : Math.sqrt(error / size));
        }
    }

    /** Whether the differences are those of the precision and no more; a NaN anywhere is not. */
    boolean accepts(Precision precision) {
        if (headError.isPresent() && !(headError.getAsDouble() <= headTolerance(precision))) {
            return false;
        }
        return switch (precision) {
            case FP32 -> largestDifference <= FP32_LARGEST_DIFFERENCE;
            case FP16 -> worstCosine >= FP16_WORST_COSINE && meanDivergence <= FP16_MEAN_DIVERGENCE;
            case BF16 -> worstCosine >= BF16_WORST_COSINE && meanDivergence <= BF16_MEAN_DIVERGENCE;
            case INT8 ->
                worstCosine >= INT8_WORST_COSINE
                        && meanDivergence <= INT8_MEAN_DIVERGENCE
                        && lossRise <= INT8_LOSS_RISE;
            case INT4 -> meanDivergence <= INT4_MEAN_DIVERGENCE;
        };
    }

    /** Some ten times what rounding does to a trained head; an answer that is missing or another's differs by about 1. */
    private static double headTolerance(Precision precision) {
        return switch (precision) {
            case FP32 -> 1e-4;
            case FP16 -> 0.01;
            case BF16 -> 0.05;
            case INT8 -> 0.2;
            case INT4 -> 0.5;
        };
    }

    /** What is demanded of the precision, in words. */
    String tolerance(Precision precision) {
        String predictions = switch (precision) {
            case FP32 -> "largest logit difference at most " + FP32_LARGEST_DIFFERENCE;
            case FP16 ->
                "cosine at least " + FP16_WORST_COSINE + ", mean divergence at most " + FP16_MEAN_DIVERGENCE + " nats";
            case BF16 ->
                "cosine at least " + BF16_WORST_COSINE + ", mean divergence at most " + BF16_MEAN_DIVERGENCE + " nats";
            case INT8 ->
                "cosine at least " + INT8_WORST_COSINE + ", mean divergence at most " + INT8_MEAN_DIVERGENCE
                        + " nats, mean loss rise at most " + INT8_LOSS_RISE + " nats";
            case INT4 -> "mean divergence at most " + INT4_MEAN_DIVERGENCE + " nats";
        };
        return predictions
                + (headError.isPresent() ? ", relative error of the head at most " + headTolerance(precision) : "");
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d positions, largest logit difference %.2g, worst cosine %.6f, mean divergence %.2g nats, mean loss rise %.2g nats%s",
                positions,
                largestDifference,
                worstCosine,
                meanDivergence,
                lossRise,
                headError.isPresent()
                        ? String.format(Locale.ROOT, ", relative error of the head %.2g", headError.getAsDouble())
                        : "");
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
        logits.read(row, values);
        return values;
    }
}
