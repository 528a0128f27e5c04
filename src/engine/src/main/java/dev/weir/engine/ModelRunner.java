package dev.weir.engine;

/**
 * A model with the cache memory of its slots: computes what a {@link StepPlan} asks for. Owned by the engine thread, which
 * alone calls {@link #run} and {@link #close}; {@link #shape} may be read by any thread.
 *
 * <p>The contract that the laws of the engine rest on: logits of a row depend on the tokens of its own slot and on how
 * they were cut into chunks, never on which other rows or slots were computed beside it.
 */
public interface ModelRunner extends AutoCloseable {
    ModelShape shape();

    /**
     * Computes one step: first the saves, the releases, the moves and the loads, each in order, then the decode rows and the prefill
     * chunks, the chunks in order. Blocks until done.
     *
     * @return logits of the rows that the plan names, valid until the next call
     * @throws StepInterruptedException after {@link #interrupt}
     * @throws RuntimeException if the model failed; slots and blocks that the plan wrote to are then undefined, others are
     *     untouched
     */
    Logits run(StepPlan plan);

    /**
     * Has the step that is being computed end soon, with a {@link StepInterruptedException} and without logits. The saves, releases,
     * moves and loads of its plan were made; its rows and chunks may be computed again as if they had not been begun. A runner may
     * go on instead. Any thread, between the begin and the end of a {@link #run}.
     */
    default void interrupt() {}

    /**
     * Whether a step's decode rows and its chunks are computed one after the other rather than together. Then each chunk gets a step
     * of its own, and so do the rows, so that nobody waits for others' results.
     */
    default boolean computesApart() {
        return false;
    }

    /** Threads whose cores have nothing else to do between two steps, the calling one included. */
    default int threads() {
        return 1;
    }

    @Override
    void close();
}
