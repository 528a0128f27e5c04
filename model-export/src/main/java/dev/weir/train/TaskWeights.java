package dev.weir.train;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/**
 * A pre-trained GPT's weights with what a task adds to them: random rows for new tokens and a random head, whose bias is zero.
 * Any thread.
 *
 * @param base the pre-trained weights
 * @param config the base's with the new vocabulary
 * @param task the head
 * @param firstNew id of the first new token
 * @param endNew one more than that of the last; the first where none is new
 * @param seed of what is random
 */
record TaskWeights(GptWeights base, GptConfig config, TaskHead task, int firstNew, int endNew, long seed)
        implements GptWeights {
    private static final double DEVIATION = 0.02;

    @Override
    public Optional<TaskHead> head() {
        return Optional.of(task);
    }

    @Override
    public float[] tensor(String name) {
        if (name.equals(TaskHead.BIAS)) {
            return new float[task.outputs()];
        }
        if (name.equals(TaskHead.WEIGHT)) {
            float[] weight = new float[task.outputs() * config.width()];
            randomise(weight, 0, weight.length, name);
            return weight;
        }
        float[] values = base.tensor(name);
        int width = rowWidth(name);
        if (width == 0) {
            return values;
        }
        float[] longer = Arrays.copyOf(values, config.vocabularySize() * width);
        if (width == 1) {
            Arrays.fill(longer, firstNew, endNew, 0);
        } else {
            randomise(longer, firstNew * width, endNew * width, name);
        }
        return longer;
    }

    /** Which elements of a tensor are new; none of most. */
    GptParameters.Span added(String name, long elements) {
        if (TaskHead.isName(name)) {
            return new GptParameters.Span(0, elements);
        }
        long width = rowWidth(name);
        return new GptParameters.Span(firstNew * width, (endNew - firstNew) * width);
    }

    /** Elements that a token has in a tensor; 0 where tokens have none. */
    private int rowWidth(String name) {
        if (name.equals(GptConfig.OUTPUT_BIAS)) {
            return 1;
        }
        return name.equals(config.family().tokenEmbedding()) ? config.width() : 0;
    }

    private void randomise(float[] values, int from, int to, String name) {
        Random random = new Random(Seeds.mix(seed, name.hashCode()));
        for (int i = from; i < to; i++) {
            values[i] = (float) (random.nextGaussian() * DEVIATION);
        }
    }
}
