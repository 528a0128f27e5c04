package dev.weir.onnx;

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
 * NVIDIA's CUDA runtime, as far as memory and one stream need it; each method is the function of the same name in {@code
 * cuda_runtime_api.h}. The library is the one that ONNX Runtime's CUDA provider has loaded. Stateless; any thread, each of
 * which calls {@link #setDevice} first.
 *
 * <p>A function that does not return {@code cudaSuccess} has failed: an {@link IllegalStateException} says which and why, in
 * the words of {@code cudaGetErrorString}.
 */
@SuppressWarnings("restricted") // C functions, called with their own signatures
final class CudaRuntime {
    /** {@code cudaMemcpyDefault}: the kind follows from the addresses. */
    private static final int COPY_BY_ADDRESS = 4;
    /** {@code cudaStreamNonBlocking}: the stream does not wait for others. */
    private static final int NON_BLOCKING = 1;
    /** {@code cudaStreamCaptureModeThreadLocal}. */
    private static final int THREAD_LOCAL = 1;

    private static final int SUCCESS = 0;
    private static final ValueLayout.OfLong SIZE = ValueLayout.JAVA_LONG;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;

    private final SymbolLookup library;
    private final MethodHandle getErrorString;
    private final MethodHandle getLastError;
    private final MethodHandle memcpyAsync;
    private final MethodHandle streamSynchronize;

    CudaRuntime(SymbolLookup library) {
        this.library = library;
        getErrorString = function("cudaGetErrorString", FunctionDescriptor.of(POINTER, INT));
        getLastError = function("cudaGetLastError");
        memcpyAsync = function("cudaMemcpyAsync", POINTER, POINTER, SIZE, INT, POINTER);
        streamSynchronize = function("cudaStreamSynchronize", POINTER);
    }

    void setDevice(int device) {
        call("cudaSetDevice", function("cudaSetDevice", INT), device);
    }

    /**
     * While a CUDA graph is recorded as ONNX Runtime does it, no thread of the process may call what could break the recording, such as
     * {@code cudaMalloc}. This thread may from now on, but for its own recordings: others' are on other devices and streams.
     */
    void ignoreOthersCaptures() {
        String name = "cudaThreadExchangeStreamCaptureMode";
        try (Arena arena = Arena.ofConfined()) {
            call(name, function(name, POINTER), arena.allocateFrom(INT, THREAD_LOCAL));
        }
    }

    /** Memory of the device; freed by {@link #free}. */
    MemorySegment malloc(long bytes) {
        return allocate("cudaMalloc", bytes);
    }

    void free(MemorySegment memory) {
        call("cudaFree", function("cudaFree", POINTER), memory);
    }

    /** Memory of the host that the device reads and writes by itself; freed by {@link #freeHost}. */
    MemorySegment mallocHost(long bytes) {
        return allocate("cudaMallocHost", bytes);
    }

    void freeHost(MemorySegment memory) {
        call("cudaFreeHost", function("cudaFreeHost", POINTER), memory);
    }

    /** Bytes of the device that nobody uses, and all. */
    Memory memGetInfo() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment free = arena.allocate(SIZE);
            MemorySegment total = arena.allocate(SIZE);
            call("cudaMemGetInfo", function("cudaMemGetInfo", POINTER, POINTER), free, total);
            return new Memory(free.get(SIZE, 0), total.get(SIZE, 0));
        }
    }

    /** Bytes of a device. */
    record Memory(long free, long total) {}

    MemorySegment streamCreate() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call("cudaStreamCreateWithFlags", function("cudaStreamCreateWithFlags", POINTER, INT), out, NON_BLOCKING);
            return out.get(POINTER, 0);
        }
    }

    void streamDestroy(MemorySegment stream) {
        call("cudaStreamDestroy", function("cudaStreamDestroy", POINTER), stream);
    }

    /** Writes zeros, in the stream. */
    void memsetAsync(MemorySegment memory, long bytes, MemorySegment stream) {
        call("cudaMemsetAsync", function("cudaMemsetAsync", POINTER, INT, SIZE, POINTER), memory, 0, bytes, stream);
    }

    /** Copies in the stream between any two places of host and device. */
    void memcpyAsync(MemorySegment to, MemorySegment from, long bytes, MemorySegment stream) {
        int error;
        try {
            error = (int) memcpyAsync.invokeExact(to, from, bytes, COPY_BY_ADDRESS, stream);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check("cudaMemcpyAsync", error);
    }

    /** Waits until all that the stream was given is done. */
    void streamSynchronize(MemorySegment stream) {
        int error;
        try {
            error = (int) streamSynchronize.invokeExact(stream);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check("cudaStreamSynchronize", error);
    }

    private MemorySegment allocate(String name, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(POINTER);
            call(name, function(name, POINTER, SIZE), out, bytes);
            return out.get(POINTER, 0).reinterpret(bytes);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(e.getMessage() + ", asked for " + bytes + " bytes", e);
        }
    }

    private MethodHandle function(String name, MemoryLayout... arguments) {
        return function(name, FunctionDescriptor.of(INT, arguments));
    }

    private MethodHandle function(String name, FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(library.findOrThrow(name), descriptor);
    }

    private void call(String name, MethodHandle function, Object... arguments) {
        int error;
        try {
            error = (int) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        check(name, error);
    }

    private void check(String name, int error) {
        if (error == SUCCESS) {
            return;
        }
        String text;
        try {
            // The thread's latest error would be taken for that of whoever looks next, as ONNX Runtime does.
            int _ = (int) getLastError.invokeExact();
            text = ((MemorySegment) getErrorString.invokeExact(error))
                    .reinterpret(Long.MAX_VALUE)
                    .getString(0);
        } catch (Throwable e) {
            throw new AssertionError("C does not throw", e);
        }
        throw new IllegalStateException(name + " failed with CUDA error " + error + ": " + text);
    }
}
