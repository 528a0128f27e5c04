package dev.weir.onnx;

import ai.onnxruntime.OrtException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;

/**
 * What a {@link CudaSession} stands on: where CUDA's functions are, and how ONNX Runtime comes to compute on the device. Tests have
 * one in which the CPU does what a GPU would. Any thread.
 */
interface CudaPlatform {
    /** The GPUs of this machine. */
    CudaPlatform NVIDIA = new NvidiaPlatform();

    /**
     * Has ONNX Runtime's provider for the device loaded.
     *
     * @throws ModelLoadException if there is no such device, or something is missing, naming it
     */
    void load(int device);

    /**
     * The functions of {@code cuda_runtime_api.h}, once it is loaded.
     *
     * @throws ModelLoadException if there are none
     */
    SymbolLookup runtime();

    /** The functions of {@code cuda.h}. */
    SymbolLookup driver();

    /** What ONNX Runtime calls the device's memory. */
    String memoryName();

    /** Has sessions of these options compute on the device, in the stream. */
    void addProvider(OrtApi ort, MemorySegment sessionOptions, CudaOptions options, MemorySegment stream)
            throws OrtException;
}
