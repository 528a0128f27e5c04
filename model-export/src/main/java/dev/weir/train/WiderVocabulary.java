package dev.weir.train;

import java.util.Arrays;
import java.util.Optional;

/**
 * A model with rows for tokens that are new to it. Each has the mean of the old rows, whose logit is the mean of theirs: so none
 * of them is likely before it has learned anything (Hewitt, "Initializing New Word Embeddings for Pretrained Language Models",
 * 2021). Any thread.
 */
record WiderVocabulary(GptWeights base, GptConfig config) implements GptWeights {
    /** The model itself if it has that many tokens. */
    static GptWeights of(GptWeights base, int tokens) {
        return tokens <= base.config().vocabularySize()
                ? base
                : new WiderVocabulary(base, base.config().withVocabularySize(tokens));
    }

    @Override
    public Optional<TaskHead> head() {
        return base.head();
    }

    @Override
    public float[] tensor(String name) {
        float[] values = base.tensor(name);
        if (name.equals(GptConfig.OUTPUT_BIAS)) {
            return Arrays.copyOf(values, config.vocabularySize());
        }
        if (!name.equals(config.family().tokenEmbedding())) {
            return values;
        }
        int width = config.width();
        double[] mean = new double[width];
        for (int i = 0; i < values.length; i++) {
            mean[i % width] += values[i];
        }
        float[] longer = Arrays.copyOf(values, config.vocabularySize() * width);
        for (int i = values.length; i < longer.length; i++) {
            longer[i] = (float) (mean[i % width] / base.config().vocabularySize());
        }
        return longer;
    }
}
