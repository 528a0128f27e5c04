package dev.weir.train;

import java.util.Random;

/**
 * Weights in which nothing is zero or one, as after training: biases and layer norms vary too, and everything is large
 * enough that a wrong one shows in the logits.
 */
record NoisyGptWeights(GptConfig config, long seed) implements GptWeights {
    @Override
    public float[] tensor(String name) {
        float[] values = new float
                [Math.toIntExact(GptConfig.elements(config.tensorShapes().get(name)))];
        Random random = new Random(seed + name.hashCode());
        boolean gain = name.matches(".*(ln_|norm).*\\.weight");
        for (int i = 0; i < values.length; i++) {
            values[i] = (gain ? 1 : 0) + (float) (0.1 * random.nextGaussian());
        }
        return values;
    }
}
