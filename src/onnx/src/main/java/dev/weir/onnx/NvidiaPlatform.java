package dev.weir.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.TreeMap;

/** NVIDIA's GPUs, through their driver and the libraries that ONNX Runtime's CUDA provider has loaded. */
@SuppressWarnings("restricted") // libraries are opened
final class NvidiaPlatform implements CudaPlatform {
    /** Has the Java API load the provider, which unpacks and finds its own libraries. */
    @Override
    public void load(int device) {
        OnnxRuntime.environment();
        if (!OrtEnvironment.getAvailableProviders().contains(OrtProvider.CUDA)) {
            throw new ModelLoadException(
                    "device is cuda, but this is ONNX Runtime's build for the CPU: give --device cuda to"
                            + " ./weir itself, which takes the other one, or put com.microsoft.onnxruntime:onnxruntime_gpu in its"
                            + " place on the class path");
        }
        if (System.getProperty("onnxruntime.native.path")
                == null) { // who brings a build of their own knows what it needs
            CudaLibraries.check();
        }
        try (OrtSession.SessionOptions probe = new OrtSession.SessionOptions()) {
            probe.addCUDA(device);
        } catch (OrtException e) {
            throw new ModelLoadException("device is cuda, but ONNX Runtime cannot use it: " + e.getMessage(), e);
        }
    }

    @Override
    public SymbolLookup runtime() {
        try {
            return SymbolLookup.libraryLookup(CudaLibraries.RUNTIME, Arena.global());
        } catch (IllegalArgumentException e) {
            throw new ModelLoadException(
                    CudaLibraries.RUNTIME
                            + ", NVIDIA's CUDA 12 runtime, is not found: install CUDA 12, or put its folder on "
                            + "LD_LIBRARY_PATH",
                    e);
        }
    }

    @Override
    public SymbolLookup driver() {
        return SymbolLookup.libraryLookup(CudaLibraries.DRIVER, Arena.global());
    }

    @Override
    public String memoryName() {
        return "Cuda";
    }

    @Override
    public void addProvider(OrtApi ort, MemorySegment sessionOptions, CudaOptions options, MemorySegment stream)
            throws OrtException {
        Map<String, String> provider = new TreeMap<>(Map.of(
                "device_id",
                Integer.toString(options.device()),
                "arena_extend_strategy",
                "kSameAsRequested",
                "enable_cuda_graph",
                options.graphs() ? "1" : "0"));
        ort.appendCudaProvider(sessionOptions, provider, stream);
    }
}
