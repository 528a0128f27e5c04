package dev.weir.server;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The signals that tell the process to stop. */
final class StopSignals {
    private static final int SIGINT = 2;
    private static final int SIGTERM = 15;

    private StopSignals() {}

    /**
     * From now on a signal ends the process at once. The JVM takes the first one and then lets the others pass, however long the
     * process takes to stop.
     */
    @SuppressWarnings("restricted") // every JVM of the project is started with --enable-native-access
    static void endAtOnce() {
        Linker linker = Linker.nativeLinker();
        MethodHandle signal = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("signal"),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        try {
            MemorySegment defaultAction = MemorySegment.NULL;
            for (int number : new int[] {SIGINT, SIGTERM}) {
                MemorySegment _ = (MemorySegment) signal.invokeExact(number, defaultAction);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("signals cannot be given back to the system", e);
        }
    }
}
