package dev.weir.onnx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Adds up the weights of rows of logits on the device, which with the ranked ones tells what is drawn: {@code sum-weights.cu} says how.
 * Owned by the engine thread.
 */
final class WeightSums {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final int THREADS = 1024;

    private final CudaSession session;
    private final CudaKernel kernel;
    private final MemorySegment arguments;
    /** int32 rows and then float32 inverses, and sums behind them, on the host and on the device. */
    private final MemorySegment host;

    private final MemorySegment device;
    private final long inverses;
    private final long sums;

    /**
     * Loads the kernel and reserves memory.
     *
     * @param logits float32 [rows, stride] of the device
     * @param ranked float32 [rows, ranks] of the device: the largest logits of each row, in order
     * @param rows that are added up at once at most
     */
    WeightSums(
            CudaSession session,
            MemorySegment logits,
            int vocabulary,
            long stride,
            MemorySegment ranked,
            int ranks,
            int rows) {
        this.session = session;
        kernel = session.kernel("sum-weights.ptx", "sumWeights");
        inverses = (long) rows * Integer.BYTES;
        sums = inverses + (long) rows * Float.BYTES;
        long bytes = sums + (long) rows * Float.BYTES;
        host = session.pinned(bytes);
        device = session.onDevice(bytes);
        arguments = session.arguments(
                logits, vocabulary, stride, ranked, ranks, device, device.asSlice(inverses), device.asSlice(sums));
    }

    /** The next row to add up, by its number among the logits. */
    void set(int place, int row, float inverse) {
        host.setAtIndex(INT, place, row);
        host.set(FLOAT, inverses + (long) Float.BYTES * place, inverse);
    }

    /** Adds up so many rows, and waits for it. */
    void run(int count) {
        session.copy(device, host, inverses + (long) count * Float.BYTES);
        session.launch(kernel, count, THREADS, arguments);
        session.copy(host.asSlice(sums), device.asSlice(sums), (long) count * Float.BYTES);
        session.await();
    }

    float sum(int place) {
        return host.get(FLOAT, sums + (long) Float.BYTES * place);
    }
}
