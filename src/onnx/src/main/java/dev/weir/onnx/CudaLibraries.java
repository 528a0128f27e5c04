package dev.weir.onnx;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.ArrayList;
import java.util.List;

/** The libraries of NVIDIA's without which ONNX Runtime's CUDA provider cannot be loaded. Static functions; any thread. */
@SuppressWarnings("restricted") // libraries are opened, nothing in them is called
final class CudaLibraries {
    static final String DRIVER = "libcuda.so.1";
    static final String RUNTIME = "libcudart.so.12";
    /** What the provider of the pinned release names. */
    private static final List<String> CUDA =
            List.of(RUNTIME, "libcublas.so.12", "libcublasLt.so.12", "libcurand.so.10");

    private CudaLibraries() {}

    /**
     * Looks for all of them.
     *
     * @throws ModelLoadException naming those that are missing and what brings them
     */
    static void check() {
        List<String> wrong = new ArrayList<>();
        if (!isFound(DRIVER)) {
            wrong.add(DRIVER + " is not found: install NVIDIA's driver");
        }
        List<String> missing =
                CUDA.stream().filter(library -> !isFound(library)).toList();
        if (!missing.isEmpty()) {
            wrong.add(
                    String.join(", ", missing) + " not found: install CUDA 12 and put its folder on LD_LIBRARY_PATH, or"
                            + " fetch them from Maven with ./mvnw -Pcuda,cuda-libraries -pl src/cuda -am package"
                            + " -Dmaven.test.skip=true");
        }
        if (!wrong.isEmpty()) {
            throw new ModelLoadException("device is cuda, but " + String.join("; and ", wrong));
        }
    }

    private static boolean isFound(String library) {
        try {
            SymbolLookup.libraryLookup(library, Arena.global());
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
