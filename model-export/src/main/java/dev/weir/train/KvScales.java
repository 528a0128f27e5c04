package dev.weir.train;

import dev.weir.engine.ModelShape;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What one step of an eight-bit cache stands for: a key or value is stored as the nearest multiple, from -127 to 127, of
 * its layer's scale. Immutable by contract; any thread.
 *
 * @param keys one per layer
 * @param values one per layer
 */
@SuppressWarnings("ArrayRecordComponent") // on their way into the graph, never compared
record KvScales(float[] keys, float[] values) {
    private static final int STEPS = 127;
    /** Room above what was seen, because what is larger than the largest step is cut off. */
    private static final float HEADROOM = 1.1f;

    private static final int TEXTS = 16;
    private static final int TOKENS = 192;

    /**
     * Finds the scales by letting a model with a float cache write some texts and looking at the largest key and value in
     * each layer.
     */
    static KvScales calibrate(Path folder, long seed) {
        return calibrate(folder, null, seed);
    }

    /** The scales of a model with an adapter beside it, if one is named. */
    static KvScales calibrate(Path folder, @Nullable Path adapter, long seed) {
        ModelFolder model = ModelFolder.open(folder);
        int length = Math.min(TOKENS, model.contextLength());
        try (OnnxModelRunner runner = OnnxModelRunner.open(model, new RunnerOptions(TEXTS, 0, length, 0), adapter)) {
            ModelShape shape = runner.shape();
            int tokens = SelfWrittenText.write(runner, TOKENS, seed).getFirst().length;
            float[] largest = runner.largestCached(0, tokens);
            for (int slot = 1; slot < shape.slots(); slot++) {
                float[] inSlot = runner.largestCached(slot, tokens);
                for (int i = 0; i < largest.length; i++) {
                    largest[i] = Math.max(largest[i], inSlot[i]);
                }
            }
            int layers = largest.length / 2;
            float[] keys = new float[layers];
            float[] values = new float[layers];
            for (int layer = 0; layer < layers; layer++) {
                keys[layer] = scale(largest[2 * layer]);
                values[layer] = scale(largest[2 * layer + 1]);
            }
            return new KvScales(keys, values);
        }
    }

    /** Scales with which neither this model's keys and values are cut off nor another's. */
    KvScales atLeast(KvScales other) {
        return new KvScales(larger(keys, other.keys), larger(values, other.values));
    }

    private static float[] larger(float[] some, float[] others) {
        float[] larger = some.clone();
        for (int i = 0; i < larger.length; i++) {
            larger[i] = Math.max(larger[i], others[i]);
        }
        return larger;
    }

    private static float scale(float largest) {
        return largest == 0 ? 1 : largest * HEADROOM / STEPS;
    }
}
