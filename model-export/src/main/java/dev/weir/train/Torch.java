package dev.weir.train;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** How arrays cross between Java and libtorch, and libtorch's switches for the whole process. */
final class Torch {
    private Torch() {}

    /** Sets the number of threads of every later calculation. */
    static void configure(int threads) {
        torch.set_num_threads(threads);
    }

    /** An int64 tensor with a copy of the values. */
    static Tensor longs(long[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Long), new MemoryFormatOptional());
        try (LongPointer memory = tensor.data_ptr_long()) {
            memory.put(values);
        }
        return tensor;
    }

    /** A float32 tensor with a copy of the values. */
    static Tensor floats(float[] values, long... shape) {
        Tensor tensor = torch.empty(shape, new TensorOptions(ScalarType.Float), new MemoryFormatOptional());
        write(values, tensor);
        return tensor;
    }

    /** Copies values over a contiguous float32 tensor, of as many elements. */
    static void write(float[] values, Tensor tensor) {
        requireSameSize(values, tensor);
        try (FloatPointer memory = tensor.data_ptr_float()) {
            memory.put(values);
        }
    }

    /** A copy of a contiguous float32 tensor's values. */
    static float[] read(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        try (FloatPointer memory = tensor.data_ptr_float()) {
            memory.get(values);
        }
        return values;
    }

    private static void requireSameSize(float[] values, Tensor tensor) {
        if (values.length != tensor.numel()) {
            throw new IllegalArgumentException(
                    values.length + " values do not fit a tensor of " + tensor.numel() + " elements");
        }
    }
}
