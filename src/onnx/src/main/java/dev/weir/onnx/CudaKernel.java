package dev.weir.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * A kernel of one's own, which the driver compiles from PTX for the GPU at hand; the functions are those of {@code cuda.h}. Used
 * by one thread at a time, whose current device has been set.
 */
@SuppressWarnings("restricted") // C functions, called with their own signatures
final class CudaKernel implements AutoCloseable {
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;

    private final SymbolLookup library;
    private final String name;
    private final MemorySegment module;
    private final MemorySegment function;
    private final MethodHandle launchKernel;

    private CudaKernel(SymbolLookup library, String name, MemorySegment module, MemorySegment function) {
        this.library = library;
        this.name = name;
        this.module = module;
        this.function = function;
        launchKernel = handle(
                library, "cuLaunchKernel", POINTER, INT, INT, INT, INT, INT, INT, INT, POINTER, POINTER, POINTER);
    }

    /**
     * Loads a kernel.
     *
     * @param library the driver's functions
     * @param resource the PTX, a text beside this class
     * @param name of the kernel in it
     * @throws ModelLoadException if the driver cannot compile it
     */
    static CudaKernel load(SymbolLookup library, String resource, String name) {
        try (Arena arena = Arena.ofConfined();
                InputStream stream = CudaKernel.class.getResourceAsStream(resource)) {
            if (stream == null) {
                throw new IllegalStateException("there is no resource " + resource);
            }
            byte[] ptx = stream.readAllBytes();
            MemorySegment text = arena.allocate(ptx.length + 1L); // ends with a zero
            MemorySegment.copy(ptx, 0, text, ValueLayout.JAVA_BYTE, 0, ptx.length);
            MemorySegment out = arena.allocate(POINTER);
            int error =
                    (int) handle(library, "cuModuleLoadData", POINTER, POINTER).invokeExact(out, text);
            if (error != 0) {
                throw new ModelLoadException("the driver cannot compile " + resource + ": CUDA driver error " + error
                        + "; a newer driver may");
            }
            MemorySegment module = out.get(POINTER, 0);
            error = (int) handle(library, "cuModuleGetFunction", POINTER, POINTER, POINTER)
                    .invokeExact(out, module, arena.allocateFrom(name));
            if (error != 0) {
                throw new IllegalStateException(resource + " has no kernel " + name + ": CUDA driver error " + error);
            }
            return new CudaKernel(library, name, module, out.get(POINTER, 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
    }

    /**
     * Starts the kernel in a stream.
     *
     * @param arguments pointers to each argument, in a C array
     */
    void launch(int blocks, int threads, MemorySegment stream, MemorySegment arguments) {
        int error;
        try {
            error = (int) launchKernel.invokeExact(
                    function, blocks, 1, 1, threads, 1, 1, 0, stream, arguments, MemorySegment.NULL);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        if (error != 0) {
            throw new IllegalStateException("cannot start " + name + ": CUDA driver error " + error);
        }
    }

    private static MethodHandle handle(SymbolLookup library, String name, MemoryLayout... arguments) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), FunctionDescriptor.of(INT, arguments));
    }

    @Override
    public void close() {
        try {
            int _ = (int) handle(library, "cuModuleUnload", POINTER).invokeExact(module);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
    }
}
