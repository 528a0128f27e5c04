package dev.weir.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/**
 * The attention mask of several slots, {@code int64 [rows, width]}: ones where a row has a token, then zeros. Owned by the
 * engine thread.
 *
 * <p>From one step to the next a row's length grows by one, so only the difference to what stands there is written.
 */
final class AttentionMask {
    private final int width;
    private final LongBuffer cells;
    private final int[] lengths;

    AttentionMask(int rows, int width) {
        this.width = width;
        this.lengths = new int[rows];
        this.cells = ByteBuffer.allocateDirect(Math.multiplyExact(Math.multiplyExact(rows, width), Long.BYTES))
                .order(ByteOrder.nativeOrder())
                .asLongBuffer();
    }

    /** Gives a row so many tokens. */
    void set(int row, int length) {
        int start = row * width;
        for (int i = lengths[row]; i < length; i++) {
            cells.put(start + i, 1);
        }
        for (int i = length; i < lengths[row]; i++) {
            cells.put(start + i, 0);
        }
        lengths[row] = length;
    }

    /** A tensor over the first rows, which follows later changes; the caller closes it. */
    OnnxTensor tensor(OrtEnvironment environment, int rows) throws OrtException {
        return OnnxTensor.createTensor(environment, cells.slice(0, rows * width), new long[] {rows, width});
    }
}
