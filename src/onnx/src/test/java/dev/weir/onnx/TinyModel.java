package dev.weir.onnx;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepPlan;
import java.nio.file.Path;

/** One of the checked-in models, opened, with the few calls that tests make of it. Used by one thread. */
final class TinyModel implements AutoCloseable {
    static final int SLOTS = 32;
    private static final Path FOLDER = Path.of("src/test/resources/models");

    final OnnxModelRunner runner;
    final StepPlan plan = new StepPlan(SLOTS);

    private TinyModel(OnnxModelRunner runner) {
        this.runner = runner;
    }

    static Path folder(String name) {
        return FOLDER.resolve(name);
    }

    static TinyModel open(String name, int threads) {
        return new TinyModel(OnnxModelRunner.open(
                ModelFolder.open(folder(name)), new RunnerOptions(SLOTS, 0, 0, threads, RunnerOptions.AUTOMATIC)));
    }

    int vocabularySize() {
        return runner.shape().vocabularySize();
    }

    /** Computes tokens {@code [start, end)} of a text in chunks of at most {@code chunk}; the last token's logits. */
    float[] prefill(int slot, int[] text, int start, int end, int chunk) {
        float[] scores = new float[0];
        for (int at = start; at < end; at += chunk) {
            plan.clear();
            plan.addChunk(new PrefillChunk(slot, text, at, Math.min(chunk, end - at), true));
            scores = row(runner.run(plan), SLOTS);
        }
        return scores;
    }

    /** Decodes one token in slot 0 with no other row beside it. */
    float[] decodeAlone(int token, int position) {
        plan.clear();
        plan.addDecodeRow(token, position);
        return row(runner.run(plan), 0);
    }

    static float[] row(Logits logits, int row) {
        float[] values = new float[logits.vocabularySize()];
        logits.read(row, values);
        return values;
    }

    @Override
    public void close() {
        runner.close();
    }
}
