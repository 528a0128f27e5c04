package dev.weir.onnx;

/**
 * What a paged cache of a model consists of: in each layer one array of keys and one of values, each of blocks
 * {@code [block tokens, heads, head size]}. Immutable.
 *
 * @param maxTokens tokens of one sequence at most
 * @param blockTokens tokens of a block
 * @param arrays of keys and of values, over all layers
 * @param type of their elements, a number of {@code ONNXTensorElementDataType}
 * @param blockBytes of a block of one array
 */
record PagedCacheShape(int maxTokens, int blockTokens, int arrays, int type, long blockBytes) {
    /**
     * The shape that a graph wants.
     *
     * @throws ModelLoadException if its cache is not of half floats or eight bits
     */
    static PagedCacheShape of(ModelFolder folder, CudaSession session, int maxTokens) {
        String name = folder.names().pastKey().formatted(0);
        TensorType type = session.inputs().get(name);
        if (type == null) {
            throw new ModelLoadException(folder.modelFile() + " has no input \"" + name + "\"; it has "
                    + session.inputs().keySet());
        }
        long elementBytes = switch (type.element()) {
            case TensorType.FLOAT16, TensorType.BFLOAT16 -> Short.BYTES;
            case TensorType.INT8 -> Byte.BYTES;
            default ->
                throw new ModelLoadException(folder.modelFile() + ": input \"" + name + "\" has elements of type "
                        + TensorType.name(type.element()) + ", but a paged cache is of fp16, bf16 or int8");
        };
        return new PagedCacheShape(
                maxTokens,
                folder.blockSize(),
                2 * folder.layers(),
                type.element(),
                elementBytes * folder.blockSize() * folder.kvHeads() * folder.headSize());
    }

    /** Blocks of a sequence of that many tokens. */
    int blocksPerSlot() {
        return (maxTokens + blockTokens - 1) / blockTokens;
    }

    /** Bytes of a block in all arrays. */
    long allBlockBytes() {
        return arrays * blockBytes;
    }
}
