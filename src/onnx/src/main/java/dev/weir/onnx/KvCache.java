package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The keys and values of all slots: per layer one array of each, {@code [slots, heads, max tokens, head size]}, outside
 * the heap; and a pool of blocks of tokens that outlive their slots. Owned by the engine thread.
 *
 * <p>A run reads and writes a contiguous range of slots in place: the same tensor is bound as past input and as present
 * output. So the cache is never copied, and what is outside of the range is not touched. A block is in one piece:
 * {@code [layers, keys and values, heads, block tokens, head size]}.
 */
final class KvCache implements AutoCloseable {
    private final Shape shape;
    private final Arena arena = Arena.ofShared();
    /** Keys of layer 0, values of layer 0, keys of layer 1, ... */
    private final List<MemorySegment> arrays = new ArrayList<>();

    private final int blockTokens;
    private final MemorySegment blocks;

    /**
     * What one slot consists of.
     *
     * @param type element type of keys and values, one of {@link TensorType}'s
     */
    record Shape(int layers, int heads, int maxTokens, int headSize, int type) {
        /** Keys or values of one token of one head. */
        long rowBytes() {
            return (long) headSize * TensorType.bytes(type);
        }

        /** Keys or values of one head. */
        long headBytes() {
            return maxTokens * rowBytes();
        }

        /** Keys or values of one layer. */
        long arraySlotBytes() {
            return heads * headBytes();
        }

        int arrays() {
            return 2 * layers;
        }

        long slotBytes() {
            return arrays() * arraySlotBytes();
        }

        long tokenBytes() {
            return (long) arrays() * heads * rowBytes();
        }
    }

    KvCache(Shape shape, int slots, int blocks, int blockTokens) {
        this.shape = shape;
        this.blockTokens = blockTokens;
        this.blocks = NativeMemory.allocate(arena, (long) blocks * blockTokens * shape.tokenBytes());
        for (int i = 0; i < shape.arrays(); i++) {
            arrays.add(NativeMemory.allocate(arena, slots * shape.arraySlotBytes()));
        }
    }

    Shape shape() {
        return shape;
    }

    /** Binds the slots {@code [first, first + count)} of each array both as what attention reads and as where it writes. */
    void bind(int first, int count, CpuSession session, CpuSession.Run run, ModelFolder.GraphNames names)
            throws OrtException {
        for (int layer = 0; layer < shape.layers(); layer++) {
            MemorySegment keys = tensor(arrays.get(2 * layer), first, count, session);
            MemorySegment values = tensor(arrays.get(2 * layer + 1), first, count, session);
            run.input(names.pastKey().formatted(layer), keys);
            run.input(names.pastValue().formatted(layer), values);
            run.output(names.presentKey().formatted(layer), keys);
            run.output(names.presentValue().formatted(layer), values);
        }
    }

    private MemorySegment tensor(MemorySegment array, int first, int count, CpuSession session) throws OrtException {
        return session.tensor(
                array.asSlice(first * shape.arraySlotBytes(), count * shape.arraySlotBytes()),
                shape.type(),
                count,
                shape.heads(),
                shape.maxTokens(),
                shape.headSize());
    }

    /** Copies a sequence's first tokens from one slot to another. */
    void move(int from, int to, int tokens) {
        long bytes = tokens * shape.rowBytes();
        for (MemorySegment array : arrays) {
            for (int h = 0; h < shape.heads(); h++) {
                MemorySegment.copy(
                        array,
                        from * shape.arraySlotBytes() + h * shape.headBytes(),
                        array,
                        to * shape.arraySlotBytes() + h * shape.headBytes(),
                        bytes);
            }
        }
    }

    /** Copies a block of tokens out of a slot into the pool. */
    void save(int slot, int start, int block) {
        copyBlock(slot, start, block, true);
    }

    /** Copies a block of tokens from the pool into a slot. */
    void load(int block, int slot, int start) {
        copyBlock(slot, start, block, false);
    }

    private void copyBlock(int slot, int start, int block, boolean isSave) {
        long bytes = blockTokens * shape.rowBytes();
        long inBlocks = (long) block * blockTokens * shape.tokenBytes();
        for (MemorySegment array : arrays) {
            long inArray = slot * shape.arraySlotBytes() + start * shape.rowBytes();
            for (int head = 0; head < shape.heads(); head++) {
                if (isSave) {
                    MemorySegment.copy(array, inArray, blocks, inBlocks, bytes);
                } else {
                    MemorySegment.copy(blocks, inBlocks, array, inArray, bytes);
                }
                inArray += shape.headBytes();
                inBlocks += bytes;
            }
        }
    }

    /** Everything that a slot holds of its first tokens, to be compared. */
    byte[] bytes(int slot, int tokens) {
        int bytes = Math.toIntExact(tokens * shape.rowBytes());
        byte[] all = new byte[arrays.size() * shape.heads() * bytes];
        int at = 0;
        for (MemorySegment array : arrays) {
            for (int head = 0; head < shape.heads(); head++) {
                long first = slot * shape.arraySlotBytes() + head * shape.headBytes();
                MemorySegment.copy(array, ValueLayout.JAVA_BYTE, first, all, at, bytes);
                at += bytes;
            }
        }
        return all;
    }

    /** The largest magnitude of a slot's first tokens in each array. */
    float[] largest(int slot, int tokens) {
        if (shape.type() != TensorType.FLOAT) {
            throw new IllegalStateException("the cache holds " + TensorType.name(shape.type()) + " and not float32");
        }
        float[] largest = new float[arrays.size()];
        for (int i = 0; i < largest.length; i++) {
            for (int head = 0; head < shape.heads(); head++) {
                long first = slot * shape.arraySlotBytes() + head * shape.headBytes();
                for (long at = first; at < first + tokens * shape.rowBytes(); at += Float.BYTES) {
                    float value = arrays.get(i).get(ValueLayout.JAVA_FLOAT, at);
                    largest[i] = Math.max(largest[i], Math.abs(value));
                }
            }
        }
        return largest;
    }

    /** Overwrites everything, so that a test can see whether anybody reads what no sequence wrote. */
    void fill(byte value) {
        arrays.forEach(array -> array.fill(value));
        blocks.fill(value);
    }

    @Override
    public void close() {
        arena.close();
    }
}
