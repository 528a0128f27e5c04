package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The attention mask of several slots, {@code int64 [rows, width]}: ones where a row has a token, then zeros. Owned by the
 * engine thread.
 *
 * <p>From one step to the next a row's length grows by one, so only the difference to what stands there is written.
 */
final class AttentionMask {
    private final int width;
    private final MemorySegment cells;
    private final int[] lengths;

    AttentionMask(Arena arena, int rows, int width) {
        this.width = width;
        this.lengths = new int[rows];
        this.cells = NativeMemory.allocate(arena, (long) rows * width * Long.BYTES);
    }

    /** Gives a row so many tokens. */
    void set(int row, int length) {
        long start = (long) row * width;
        for (int i = lengths[row]; i < length; i++) {
            cells.setAtIndex(ValueLayout.JAVA_LONG, start + i, 1);
        }
        for (int i = length; i < lengths[row]; i++) {
            cells.setAtIndex(ValueLayout.JAVA_LONG, start + i, 0);
        }
        lengths[row] = length;
    }

    /** A tensor over the first rows, which follows later changes. */
    MemorySegment tensor(CpuSession session, int rows) throws OrtException {
        return session.tensor(cells.asSlice(0, (long) rows * width * Long.BYTES), TensorType.INT64, rows, width);
    }
}
