package dev.weir.train;

/**
 * Rows of token ids for one pass through a model, and the ids that it should predict. Immutable by contract; any thread.
 *
 * @param ids [blocks, length], row-major; shorter rows are padded at their end, where nothing of them looks
 * @param places in {@code ids} of the tokens after which a target stands; empty if every token has one
 * @param targets the id to predict after each place, or after each token
 * @param targetBytes how many bytes of text the targets stand for
 */
@SuppressWarnings("ArrayRecordComponent") // on its way to a tensor, never compared
record TokenBatch(long[] ids, long[] places, long[] targets, int blocks, int length, long targetBytes) {
    /** A batch in which every token has a target. */
    TokenBatch(long[] ids, long[] targets, int blocks, int length, long targetBytes) {
        this(ids, new long[0], targets, blocks, length, targetBytes);
    }
}
