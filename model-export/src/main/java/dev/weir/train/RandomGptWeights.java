package dev.weir.train;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Untrained weights: normal with deviation 0.02, biases zero, layer norms the identity; from GPT-2 on the two projections
 * that write to the residual stream are scaled by 1/sqrt(2 * layers). Each tensor is made when it is asked for, from the seed and
 * its own name, so that a large model costs no memory and asking in another order changes nothing.
 *
 * @param heads what some of them are written over with, null for none
 */
record RandomGptWeights(
        GptConfig config, long seed, @Nullable InductionHeads heads) implements GptWeights {
    private static final double DEVIATION = 0.02;

    RandomGptWeights(GptConfig config, long seed) {
        this(config, seed, null);
    }

    @Override
    public float[] tensor(String name) {
        long[] shape = config.tensorShapes().get(name);
        if (shape == null) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        float[] values = new float[Math.toIntExact(GptConfig.elements(shape))];
        fill(name, shape, values);
        if (heads != null && !name.endsWith(".bias")) {
            heads.writeOver(name, values, DEVIATION);
        }
        return values;
    }

    private void fill(String name, long[] shape, float[] values) {
        if (name.endsWith(".bias")) {
            return;
        }
        if (shape.length == 1) {
            Arrays.fill(values, 1f);
            return;
        }
        boolean scaled = !config.family().isPostNorm() && name.endsWith(".c_proj.weight");
        double deviation = scaled ? DEVIATION / Math.sqrt(2.0 * config.layers()) : DEVIATION;
        NormalNumbers.fill(values, Seeds.mix(seed, name.hashCode()), deviation);
    }
}
