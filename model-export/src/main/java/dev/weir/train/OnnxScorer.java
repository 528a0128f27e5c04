package dev.weir.train;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * An exported model as it is served: its own graph, its own precision. Used by one thread.
 *
 * <p>The graph gives the logits of the last token alone. So what comes before the scored tokens goes in as a prefill, and
 * then as many windows as there are slots advance side by side, one token each in every step. Those with most to score have
 * the first slots, so that the others end behind them and the steps become smaller.
 */
final class OnnxScorer implements Scorer {
    private final OnnxModelRunner runner;
    private final StepPlan plan;
    private final float[] row;

    private OnnxScorer(OnnxModelRunner runner) {
        this.runner = runner;
        plan = new StepPlan(runner.shape().slots());
        row = new float[runner.shape().vocabularySize()];
    }

    /**
     * Loads a model.
     *
     * @param parallel most windows in one step; fewer if memory does not allow them
     * @param threads that calculate; 0 for all cores
     */
    static OnnxScorer open(Path folder, int parallel, int threads) {
        return new OnnxScorer(
                OnnxModelRunner.open(ModelFolder.open(folder), new RunnerOptions(parallel, 0, 0, threads)));
    }

    @Override
    public int context() {
        return runner.shape().maxTokens();
    }

    @Override
    public int vocabularySize() {
        return runner.shape().vocabularySize();
    }

    @Override
    public double[] score(List<Window> windows) {
        double[] scores = new double[windows.size()];
        int[] longestFirst = IntStream.range(0, windows.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> -windows.get(i).scored()))
                .mapToInt(Integer::intValue)
                .toArray();
        int slots = runner.shape().slots();
        for (int first = 0; first < longestFirst.length; first += slots) {
            int end = Math.min(first + slots, longestFirst.length);
            int[] batch = Arrays.copyOfRange(longestFirst, first, end);
            prefill(windows, batch);
            for (int step = 0; step < windows.get(batch[0]).scored(); step++) {
                decode(windows, batch, step, scores);
            }
        }
        return scores;
    }

    /** What comes before the token that predicts the first scored one. */
    private void prefill(List<Window> windows, int[] batch) {
        plan.clear();
        for (int slot = 0; slot < batch.length; slot++) {
            Window window = windows.get(batch[slot]);
            if (window.from() > 1) {
                plan.addChunk(new PrefillChunk(slot, window.tokens(), 0, window.from() - 1, false));
            }
        }
        if (!plan.isEmpty()) {
            runner.run(plan);
        }
    }

    /** Puts one token of each unfinished window in and adds how likely the one after it was. */
    private void decode(List<Window> windows, int[] batch, int step, double[] scores) {
        plan.clear();
        for (int index : batch) {
            Window window = windows.get(index);
            if (step < window.scored()) {
                int position = window.from() - 1 + step;
                plan.addDecodeRow(window.tokens()[position], position);
            }
        }
        Logits logits = runner.run(plan);
        for (int slot = 0; slot < plan.decodeRows(); slot++) {
            Window window = windows.get(batch[slot]);
            logits.read(slot, row);
            scores[batch[slot]] -= LogProbabilities.loss(row, window.tokens()[window.from() + step]);
        }
    }

    @Override
    public void close() {
        runner.close();
    }
}
