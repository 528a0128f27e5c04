package dev.weir.onnx;

import java.lang.foreign.MemorySegment;

/**
 * Ranks the largest logits of rows on the device, since most sampling needs no others: {@code rank-logits.cu} says how. Owned by
 * the engine thread.
 */
final class LogitRanking {
    /** Logits of a row that are ranked: as many as requests ask for in a top-k. */
    private static final int RANKED = 64;

    private static final int THREADS = 1024;

    private final CudaSession session;
    private final CudaKernel kernel;
    private final int ranked;
    private final MemorySegment arguments;

    /**
     * Loads the kernel.
     *
     * @param logits float32 [rows, stride] of the device
     * @param vocabulary logits of a row, of which {@code stride} may have more for the sake of alignment
     * @param scores float32 [rows, ranked] of the device, where they go
     * @param ids int32 [rows, ranked], likewise
     */
    LogitRanking(
            CudaSession session,
            MemorySegment logits,
            int vocabulary,
            long stride,
            MemorySegment scores,
            MemorySegment ids) {
        this.session = session;
        ranked = ranked(vocabulary);
        kernel = session.kernel("rank-logits.ptx", "rankLogits");
        arguments = session.arguments(logits, vocabulary, stride, ranked, scores, ids);
    }

    /** How many logits of a row are ranked. */
    static int ranked(int vocabulary) {
        return Math.min(RANKED, vocabulary);
    }

    /** Ranks so many rows, in order with the session's runs. */
    void run(int rows) {
        session.launch(kernel, rows, THREADS, arguments);
    }
}
