package dev.weir.train;

import java.util.Optional;
import java.util.Random;

/**
 * A model's weights with a new A and B beside its matrices. A is random and B zero, so that the first step sees the model as it
 * is. Any thread.
 *
 * @param base the weights that stay
 * @param settings of the adaptation
 * @param seed of A
 */
record LoraWeights(GptWeights base, Lora settings, long seed) implements GptWeights {
    @Override
    public GptConfig config() {
        return base.config();
    }

    @Override
    public Optional<TaskHead> head() {
        return base.head();
    }

    @Override
    public Optional<Lora> lora() {
        return Optional.of(settings);
    }

    @Override
    public float[] tensor(String name) {
        if (!Lora.isName(name)) {
            return base.tensor(name);
        }
        long[] shape = tensorShapes().get(name);
        if (shape == null) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        float[] values = new float[Math.toIntExact(GptConfig.elements(shape))];
        if (Lora.isA(name)) {
            // The bound of the authors' code: outputs as large as the inputs, whatever their number.
            double bound = 1 / Math.sqrt((double) shape[0]);
            Random random = new Random(Seeds.mix(seed, name.hashCode()));
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (bound * (2 * random.nextDouble() - 1));
            }
        }
        return values;
    }
}
