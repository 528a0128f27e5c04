package dev.weir.train;

import java.util.List;

/** What a language model is trained and validated on, served as batches of blocks. Immutable; any thread. */
interface BlockSource {
    /**
     * One of the files that blocks come from.
     *
     * @param share of the blocks trained on that are drawn from it; those of all parts add up to 1
     */
    record Part(String name, long trainingTokens, long heldOutTokens, double share) {}

    /**
     * Blocks to train on. They depend on the seed and the numbers alone, so that a resumed run sees what an uninterrupted one
     * would have seen.
     *
     * @param number of the batch in its run, from 0
     * @param length most tokens of a block
     */
    TokenBatch trainingBatch(long seed, long number, int blocks, int length);

    /**
     * Held-out blocks, the same each time.
     *
     * @param blocks most blocks of one batch
     * @param most about the most blocks in all
     */
    List<TokenBatch> validationBatches(int blocks, int length, int most);

    List<Part> parts();

    /** Tokens that a block has on average. */
    double tokensPerBlock(int length);

    /** How much there is, for messages. */
    String describe();

    default long trainingTokens() {
        return parts().stream().mapToLong(Part::trainingTokens).sum();
    }

    /** Tokens that a step of a run goes through on average, in all its processes. */
    default double tokensPerStep(PretrainConfig config) {
        return (double) config.batch()
                * config.accumulate()
                * config.processes()
                * tokensPerBlock(config.model().context());
    }
}
