package dev.weir.train;

/**
 * The weights of one GPT-2 model by their Hugging Face names. Any thread may read them; see
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
}
