package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import dev.weir.engine.Logits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Logits in the memory of a device, with the largest of each row in the host's. A row that somebody reads as a whole is copied
 * then. Owned by the engine thread.
 */
final class DeviceLogits implements Logits {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    /** Outputs of a graph that ranks. */
    static final String TOP_LOGITS = "top_logits";

    private static final String TOP_IDS = "top_ids";

    private final CudaSession session;
    private final PagedStep step;
    private final int vocabulary;
    private final int ranked;
    private final MemorySegment all;
    private final MemorySegment topDevice;
    private final MemorySegment topHost;
    private final MemorySegment rowHost;
    /** Where the ids of the ranked begin, after their scores. */
    private final long ids;

    private long fetchedBytes;

    /**
     * Reserves memory.
     *
     * @param all float32 [rows, vocabulary] of the device
     * @param ranked how many of each row the graph ranks
     * @param step which row of the plan is where
     */
    DeviceLogits(CudaSession session, MemorySegment all, int vocabulary, int rows, int ranked, PagedStep step) {
        this.session = session;
        this.step = step;
        this.all = all;
        this.vocabulary = vocabulary;
        this.ranked = ranked;
        ids = (long) rows * ranked * Float.BYTES;
        long bytes = Math.max(LONG.byteSize(), ids + (long) rows * ranked * Long.BYTES);
        topDevice = session.onDevice(bytes);
        topHost = session.pinned(bytes);
        rowHost = session.pinned((long) vocabulary * Float.BYTES);
    }

    /** Has a run of so many rows write here. */
    void bind(MemorySegment binding, String name, int rows) throws OrtException {
        bind(binding, name, all, CudaSession.FLOAT, rows, vocabulary);
        if (ranked > 0) {
            bind(binding, TOP_LOGITS, topDevice, CudaSession.FLOAT, rows, ranked);
            bind(binding, TOP_IDS, topDevice.asSlice(ids), CudaSession.INT64, rows, ranked);
        }
    }

    private void bind(MemorySegment binding, String name, MemorySegment memory, int type, long rows, long columns)
            throws OrtException {
        long bytes = rows * columns * (type == CudaSession.INT64 ? Long.BYTES : Float.BYTES);
        MemorySegment tensor = session.tensor(memory, bytes, type, rows, columns);
        try {
            session.bindOutput(binding, name, tensor);
        } finally {
            session.release(tensor);
        }
    }

    /** Waits for the run and takes the ranked scores of so many rows. */
    void fetch(int rows) {
        long scoreBytes = (long) rows * ranked * Float.BYTES;
        if (ranked > 0) {
            session.copy(topHost, topDevice, scoreBytes);
            session.copy(topHost.asSlice(ids), topDevice.asSlice(ids), 2 * scoreBytes);
        }
        session.await();
        fetchedBytes = 3 * scoreBytes;
    }

    /** Bytes that came from the device since the latest run. */
    long fetchedBytes() {
        return fetchedBytes;
    }

    @Override
    public int vocabularySize() {
        return vocabulary;
    }

    @Override
    public void read(int row, float[] scores) {
        long bytes = (long) vocabulary * Float.BYTES;
        session.copy(rowHost, all.asSlice(step.index(row) * bytes, bytes), bytes);
        session.await();
        MemorySegment.copy(rowHost, FLOAT, 0, scores, 0, vocabulary);
        fetchedBytes += bytes;
    }

    @Override
    public int ranked() {
        return ranked;
    }

    @Override
    public int rankedToken(int row, int rank) {
        return (int) topHost.get(LONG, ids + Long.BYTES * ((long) step.index(row) * ranked + rank));
    }

    @Override
    public float rankedScore(int row, int rank) {
        return topHost.get(FLOAT, Float.BYTES * ((long) step.index(row) * ranked + rank));
    }
}
