package dev.weir.train;

import dev.weir.engine.Logits;
import dev.weir.engine.ModelShape;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Texts that an exported model writes itself, drawing one token after the other from its predictions after a random first
 * one. They excite the model as real use does, which random tokens do not, and need no data. Static functions; used by one
 * thread.
 */
final class SelfWrittenText {
    private SelfWrittenText() {}

    /** So many texts of so many tokens, or of the context's length if that is less. */
    static List<int[]> write(Path folder, int count, int tokens, long seed) {
        ModelFolder model = ModelFolder.open(folder);
        // A cache no longer than the texts: a large model's for its whole context would take gigabytes.
        int length = Math.min(tokens, model.contextLength());
        try (OnnxModelRunner runner = OnnxModelRunner.open(model, new RunnerOptions(count, 0, length, 0))) {
            return write(runner, tokens, seed);
        }
    }

    /** One text in each slot, which then holds it. */
    static List<int[]> write(OnnxModelRunner runner, int tokens, long seed) {
        ModelShape shape = runner.shape();
        Random random = new Random(seed);
        int[][] texts = new int[shape.slots()][Math.min(tokens, shape.maxTokens())];
        for (int[] text : texts) {
            text[0] = random.nextInt(shape.vocabularySize());
        }
        StepPlan plan = new StepPlan(texts.length);
        float[] row = new float[shape.vocabularySize()];
        for (int position = 0; position < texts[0].length; position++) {
            plan.clear();
            for (int[] text : texts) {
                plan.addDecodeRow(text[position], position);
            }
            Logits logits = runner.run(plan);
            for (int slot = 0; slot < texts.length && position + 1 < texts[slot].length; slot++) {
                logits.read(slot, row);
                texts[slot][position + 1] = LogProbabilities.draw(row, random.nextDouble());
            }
        }
        return List.of(texts);
    }
}
