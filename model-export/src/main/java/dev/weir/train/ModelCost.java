package dev.weir.train;

import java.util.Map;

/**
 * What a GPT costs in memory and arithmetic, counted from its shape. Immutable; any thread.
 *
 * <p>Arithmetic is floating-point operations per token, two for each weight that a token is multiplied with and four for
 * each number of each token that it attends to, averaged over a context; a backward pass costs twice a forward pass.
 */
record ModelCost(GptConfig config) {
    /** Weight, gradient and AdamW's two moments, in float32. */
    private static final int TRAINING_BYTES = 16;

    /** The weights as an export stores them. */
    long weightBytes(Precision precision) {
        long bytes = 0;
        for (Map.Entry<String, long[]> tensor : config.tensorShapes().entrySet()) {
            bytes += bytes(precision, tensor.getKey(), tensor.getValue());
        }
        return bytes;
    }

    private long bytes(Precision precision, String name, long[] shape) {
        long elements = GptConfig.elements(shape);
        if (precision.halves().isPresent()) {
            return Short.BYTES * elements;
        }
        if (precision == Precision.FP32 || !StoredWeights.isQuantised(config, name, shape)) {
            return Float.BYTES * elements;
        }
        boolean isTable = name.equals(config.family().tokenEmbedding());
        long outputs = shape[isTable ? 0 : 1];
        return precision == Precision.INT8
                ? elements + Float.BYTES * outputs
                : Block4.bytes(elements / outputs, outputs);
    }

    /** The bytes of the largest tensor as an export stores it. */
    long largestTensorBytes(Precision precision) {
        return config.tensorShapes().entrySet().stream()
                .mapToLong(tensor -> bytes(precision, tensor.getKey(), tensor.getValue()))
                .max()
                .orElseThrow();
    }

    /** Keys and values of one sequence of the context's length. */
    long cacheBytes(CachePrecision precision) {
        long elements = 2L * config.layers() * config.context() * config.kvHeads() * config.headSize();
        return switch (precision) {
            case FP32 -> Float.BYTES * elements;
            case FP16, BF16 -> Short.BYTES * elements;
            case INT8 -> elements;
        };
    }

    /** What training keeps of each weight; activations, which depend on the batch, come on top. */
    long trainingBytes() {
        return TRAINING_BYTES * config.parameters();
    }

    /** Operations to predict one token. */
    double forwardOperations() {
        // Positions are only looked up; the token table is multiplied with at the end, as the output head.
        long positions = config.llama() == null ? (long) config.context() * config.width() : 0;
        long multiplied = config.parameters() - positions;
        double attended = 0;
        for (int layer = 0; layer < config.layers(); layer++) {
            attended += meanAttended(layer);
        }
        return 2.0 * multiplied + 4.0 * config.width() * attended;
    }

    /** Operations to learn from one token. */
    double trainingOperations() {
        return 3 * forwardOperations();
    }

    /** Tokens that a token of a full context attends to in a layer, itself included, on average. */
    private double meanAttended(int layer) {
        double context = config.context();
        double most = config.isBanded(layer) ? Math.min(config.window(), context) : context;
        // 1, 2, ... most, and from there on most
        return (most * (most + 1) / 2 + (context - most) * most) / context;
    }
}
