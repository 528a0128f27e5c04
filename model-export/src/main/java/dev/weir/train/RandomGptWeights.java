package dev.weir.train;

import java.util.Arrays;
import java.util.Random;

/**
 * Untrained weights: normal with deviation 0.02, biases zero, layer norms the identity; from GPT-2 on the two projections
 * that write to the residual stream are scaled by 1/sqrt(2 * layers). Each tensor is made when it is asked for, from the seed and
 * its own name, so that a large model costs no memory and asking in another order changes nothing.
 */
record RandomGptWeights(GptConfig config, long seed) implements GptWeights {
    private static final double DEVIATION = 0.02;

    @Override
    public float[] tensor(String name) {
        long[] shape = config.tensorShapes().get(name);
        if (shape == null) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        float[] values = new float[Math.toIntExact(GptConfig.elements(shape))];
        if (name.endsWith(".bias")) {
            return values;
        }
        if (shape.length == 1) {
            Arrays.fill(values, 1f);
            return values;
        }
        boolean scaled = !config.family().isPostNorm() && name.endsWith(".c_proj.weight");
        double deviation = scaled ? DEVIATION / Math.sqrt(2.0 * config.layers()) : DEVIATION;
        Random random = new Random(seed * 0x9E3779B97F4A7C15L + name.hashCode());
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }
}
