package dev.weir.train;

import java.util.function.Function;

/**
 * The weights of one GPT by their Hugging Face names. Any thread may read them; see
 * {@link GptConfig#tensorShapes()} for the names and shapes.
 */
interface GptWeights {
    GptConfig config();

    /**
     * A copy of one tensor, row-major float32. The caller may change it.
     *
     * @throws IllegalArgumentException if the model has no tensor of that name
     */
    float[] tensor(String name);

    /** Weights by name from anywhere, for a model of that shape. */
    static GptWeights of(GptConfig config, Function<String, float[]> tensors) {
        return new GptWeights() {
            @Override
            public GptConfig config() {
                return config;
            }

            @Override
            public float[] tensor(String name) {
                return tensors.apply(name);
            }
        };
    }
}
