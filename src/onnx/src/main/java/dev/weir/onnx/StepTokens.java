package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that a run computes and their positions, {@code int64}: either one of each row, {@code [rows, 1]}, or those of one
 * row, {@code [1, tokens]}. Owned by the engine thread. Tensors are made once for each number of tokens.
 */
final class StepTokens {
    private final CpuSession session;
    private final boolean isOneRow;
    private final MemorySegment ids;
    private final MemorySegment positions;
    private final @Nullable MemorySegment[] idTensors;
    private final @Nullable MemorySegment[] positionTensors;

    private StepTokens(CpuSession session, Arena arena, int most, boolean isOneRow) {
        this.session = session;
        this.isOneRow = isOneRow;
        ids = arena.allocate(ValueLayout.JAVA_LONG, most);
        positions = arena.allocate(ValueLayout.JAVA_LONG, most);
        idTensors = new @Nullable MemorySegment[most + 1];
        positionTensors = new @Nullable MemorySegment[most + 1];
    }

    /** For one token of each of so many rows at most. */
    static StepTokens ofRows(CpuSession session, Arena arena, int most) {
        return new StepTokens(session, arena, most, false);
    }

    /** For so many tokens of one row at most. */
    static StepTokens ofOneRow(CpuSession session, Arena arena, int most) {
        return new StepTokens(session, arena, most, true);
    }

    void set(int index, int token, int position) {
        ids.setAtIndex(ValueLayout.JAVA_LONG, index, token);
        positions.setAtIndex(ValueLayout.JAVA_LONG, index, position);
    }

    /** The first {@code count} ids. */
    MemorySegment ids(int count) throws OrtException {
        return tensor(idTensors, ids, count);
    }

    /** Their positions. */
    MemorySegment positions(int count) throws OrtException {
        return tensor(positionTensors, positions, count);
    }

    private MemorySegment tensor(@Nullable MemorySegment[] made, MemorySegment values, int count) throws OrtException {
        MemorySegment tensor = made[count];
        if (tensor == null) {
            long[] dims = {1, 1};
            dims[isOneRow ? 1 : 0] = count;
            tensor = session.tensor(values.asSlice(0, (long) count * Long.BYTES), TensorType.INT64, dims);
            made[count] = tensor;
        }
        return tensor;
    }
}
