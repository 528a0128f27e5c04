package dev.weir.train;

import java.util.Optional;

/**
 * A model's weights rounded to what an export of that precision holds of them. Any thread.
 *
 * <p>An export has two differences from its model: what rounding took from the weights, which a smaller file costs, and what
 * its graph computes otherwise than these rounded weights mean, which would be a mistake.
 *
 * @param precision one that keeps activations apart from weights: {@link Precision#INT8} is compared with the model itself
 */
record StoredWeights(GptWeights trained, Precision precision) implements GptWeights {
    @Override
    public GptConfig config() {
        return trained.config();
    }

    @Override
    public Optional<TaskHead> head() {
        return trained.head();
    }

    @Override
    public float[] tensor(String name) {
        float[] values = trained.tensor(name);
        return switch (precision) {
            case FP32, INT8 -> values;
            case FP16 -> HalfFloats.FP16.round(values);
            case BF16 -> HalfFloats.BF16.round(values);
            case INT4 -> blocks(name, values);
        };
    }

    private float[] blocks(String name, float[] values) {
        long[] shape = tensorShapes().get(name);
        if (shape == null || !isQuantised(config(), name, shape)) {
            return values;
        }
        int rows = (int) shape[0];
        int columns = (int) shape[1];
        return name.equals(config().family().tokenEmbedding())
                ? Block4.perRow(values, rows, columns).rows(rows, columns)
                : Block4.perColumn(values, rows, columns).columns(rows, columns);
    }

    /** Whether a quantised export keeps a tensor in fewer bits: the token embedding and the blocks' matrices. */
    static boolean isQuantised(GptConfig config, String name, long[] shape) {
        return shape.length == 2 && !name.equals(config.family().positionEmbedding()) && !TaskHead.isName(name);
    }
}
