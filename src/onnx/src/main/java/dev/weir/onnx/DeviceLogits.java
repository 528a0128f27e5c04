package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import dev.weir.engine.Logits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Logits in the memory of a device, with the largest of each row in the host's. Rows that are needed as a whole are copied
 * together. Owned by the engine thread; what is loaded may be read by any.
 */
final class DeviceLogits implements Logits {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    /** The host's memory for whole rows grows by so many. */
    private static final int ROWS_PER_PART = 16;

    private final CudaSession session;
    private final PagedStep step;
    private final int vocabulary;
    private final long stride;
    private final int ranked;
    private final LogitRanking ranking;
    private final WeightSums weights;
    private final MemorySegment all;
    private final MemorySegment topDevice;
    private final MemorySegment topHost;
    private final List<MemorySegment> parts = new ArrayList<>();
    /** Where in the host's memory a row of the run is as a whole; -1 if it is not. */
    private final int[] places;

    /** Where the ids of the ranked begin, after their scores. */
    private final long ids;

    private int loaded;
    private long sentBytes;
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
        places = new int[rows];
        ranking = new LogitRanking(session, all, vocabulary, stride, topDevice, topDevice.asSlice(ids));
        weights = new WeightSums(session, all, vocabulary, stride, topDevice, ranked, rows);
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
        Arrays.fill(places, -1);
        loaded = 0;
        ranking.run(rows);
        long bytes = (long) rows * ranked * Float.BYTES;
        session.copy(topHost, topDevice, bytes);
        session.copy(topHost.asSlice(ids), topDevice.asSlice(ids), bytes);
        session.await();
        sentBytes = 0;
        fetchedBytes = 2 * bytes;
    }

    /** Bytes that went to the device since the latest run. */
    long sentBytes() {
        return sentBytes;
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
    public boolean addsUp() {
        return true;
    }

    @Override
    public void sum(int[] rows, float[] inverses, int count, float[] sums) {
        for (int i = 0; i < count; i++) {
            weights.set(i, step.index(rows[i]), inverses[i]);
        }
        weights.run(count);
        for (int i = 0; i < count; i++) {
            sums[i] = weights.sum(i);
        }
        sentBytes += count * (long) (Integer.BYTES + Float.BYTES);
        fetchedBytes += (long) count * Float.BYTES;
    }

    @Override
    public void load(int[] rows, int count) {
        long bytes = rowBytes();
        for (int i = 0; i < count; i++) {
            int index = step.index(rows[i]);
            if (places[index] >= 0) {
                continue;
            }
            if (loaded == parts.size() * ROWS_PER_PART) {
                parts.add(session.pinned(ROWS_PER_PART * bytes));
            }
            session.copy(onHost(loaded), all.asSlice(index * stride * Float.BYTES, bytes), bytes);
            places[index] = loaded++;
            fetchedBytes += bytes;
        }
        if (count > 0) {
            session.await();
        }
    }

    @Override
    public void read(int row, float[] scores) {
        int place = places[step.index(row)];
        if (place < 0) {
            load(new int[] {row}, 1);
            place = places[step.index(row)];
        }
        MemorySegment.copy(onHost(place), FLOAT, 0, scores, 0, vocabulary);
    }

    private long rowBytes() {
        return (long) vocabulary * Float.BYTES;
    }

    private MemorySegment onHost(int place) {
        return parts.get(place / ROWS_PER_PART).asSlice(place % ROWS_PER_PART * rowBytes(), rowBytes());
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
