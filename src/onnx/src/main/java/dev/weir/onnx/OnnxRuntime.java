package dev.weir.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import java.util.Optional;

/**
 * ONNX Runtime's native library, loaded on first use with the switches that it takes from the environment alone. Static
 * functions; any thread.
 *
 * <p>A variable that is already set is left as it is, so whoever starts the process has the last word.
 */
@SuppressWarnings("restricted") // C's setenv, with its own signature
final class OnnxRuntime {
    private static final Map<String, String> VARIABLES = Map.of(
            // Releases from 1.29 report to their maker, keep an identifier in the home folder, and overflow the stack
            // of
            // a Java thread, which ends the process, when the command line has more than about 4,000 characters.
            "ORT_DISABLE_TELEMETRY", "1",
            // The tiled attention is slower for one token at a time, which is nearly all of a server's work.
            "ORT_GQA_DISABLE_FLASH_ATTENTION", "1");

    private static final OrtEnvironment ENVIRONMENT = load();

    private OnnxRuntime() {}

    static OrtEnvironment environment() {
        return ENVIRONMENT;
    }

    private static OrtEnvironment load() {
        VARIABLES.forEach((name, value) -> {
            if (System.getenv(name) == null) {
                setVariable(name, value);
            }
        });
        return OrtEnvironment.getEnvironment("weir");
    }

    /** Changes this process's own environment, which Java cannot. Without C's function the defaults stay. */
    private static void setVariable(String name, String value) {
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> function = linker.defaultLookup().find("setenv");
        if (function.isEmpty()) {
            return;
        }
        MethodHandle setenv = linker.downcallHandle(
                function.get(),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int overwrite = 0;
            int _ = (int) setenv.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), overwrite);
        } catch (Throwable e) {
            throw new AssertionError("setenv does not throw", e);
        }
    }
}
