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
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private final CudaSession session;
    private final PagedStep step;
    private final int vocabulary;
    private final long stride;
    private final int ranked;
    private final LogitRanking ranking;
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
     * @param vocabulary logits of a row
     * @param stride floats of a row, some of which may be there for alignment alone
     * @param rows rows of a step at most
     * @param step which row of the plan is where
     */
    DeviceLogits(CudaSession session, int vocabulary, long stride, int rows, PagedStep step) {
        this.session = session;
        this.step = step;
        this.vocabulary = vocabulary;
        this.stride = stride;
        ranked = LogitRanking.ranked(vocabulary);
        all = session.onDevice(rows * stride * Float.BYTES);
        ids = (long) rows * ranked * Float.BYTES;
        topDevice = session.onDevice(2 * ids);
        topHost = session.pinned(2 * ids);
        rowHost = session.pinned((long) vocabulary * Float.BYTES);
        ranking =
                new LogitRanking(session, session.arena(), all, vocabulary, stride, topDevice, topDevice.asSlice(ids));
    }

    /** Has a run of so many rows write here. */
    void bind(MemorySegment binding, String name, int rows) throws OrtException {
        MemorySegment tensor = session.tensor(all, rows * stride * Float.BYTES, TensorType.FLOAT, rows, stride);
        try {
            session.bindOutput(binding, name, tensor);
        } finally {
            session.release(tensor);
        }
    }

    /** Ranks so many rows of the run, and waits for them. */
    void fetch(int rows) {
        ranking.run(rows);
        long bytes = (long) rows * ranked * Float.BYTES;
        session.copy(topHost, topDevice, bytes);
        session.copy(topHost.asSlice(ids), topDevice.asSlice(ids), bytes);
        session.await();
        fetchedBytes = 2 * bytes;
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
        session.copy(rowHost, all.asSlice(step.index(row) * stride * Float.BYTES, bytes), bytes);
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
        return topHost.get(INT, ids + Integer.BYTES * ((long) step.index(row) * ranked + rank));
    }

    @Override
    public float rankedScore(int row, int rank) {
        return topHost.get(FLOAT, Float.BYTES * ((long) step.index(row) * ranked + rank));
    }
}
