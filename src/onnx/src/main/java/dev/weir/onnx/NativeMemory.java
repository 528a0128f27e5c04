package dev.weir.onnx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Zeroed memory outside the heap that the system commits page by page on first use, through C's {@code calloc}. Static
 * functions; any thread.
 *
 * <p>Java's own direct memory is written with zeros when it is allocated: a cache for 64 long sequences would take
 * seconds to start and occupy all its gigabytes before the first request.
 */
@SuppressWarnings("restricted") // the two C functions are called with their own signatures
final class NativeMemory {
    /** A cache line, and the widest vector register. */
    private static final long ALIGNMENT = 64;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle CALLOC = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("calloc"),
            FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    private static final MethodHandle FREE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("free"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));

    private NativeMemory() {}

    /** Memory that is freed with the arena, aligned to a cache line. */
    static MemorySegment allocate(Arena arena, long bytes) {
        long padded = Math.addExact(bytes, ALIGNMENT);
        MemorySegment block = calloc(padded);
        if (block.address() == 0) {
            throw new OutOfMemoryError("the system refused " + bytes + " bytes outside the heap");
        }
        MemorySegment owned = block.reinterpret(padded, arena, NativeMemory::free);
        return owned.asSlice(Math.floorMod(-block.address(), ALIGNMENT), bytes);
    }

    private static MemorySegment calloc(long bytes) {
        try {
            return (MemorySegment) CALLOC.invokeExact(1L, bytes);
        } catch (Throwable e) {
            throw new AssertionError("calloc does not throw", e);
        }
    }

    private static void free(MemorySegment block) {
        try {
            FREE.invokeExact(block);
        } catch (Throwable e) {
            throw new AssertionError("free does not throw", e);
        }
    }
}
