package dev.weir.onnx;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineFailedException;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import reactor.core.publisher.Mono;

/** What may go wrong on a GPU ends requests with an error that says so, and neither others nor the process. Static functions. */
final class FaultCheck {
    private static final EngineConfig CONFIG = new EngineConfig(64, Integer.MAX_VALUE, 8192, 2048, 64);
    private static final int PROMPTS = 16;

    private FaultCheck() {}

    static boolean run(ModelFolder cuda, int maxTokens, PrintStream out) {
        boolean isGood = tooLittleMemory(cuda, maxTokens, out);
        isGood &= outOfMemory(cuda, maxTokens, out);
        isGood &= kernelFault(cuda, maxTokens, out); // the last, as nothing works after it
        return isGood;
    }

    private static boolean tooLittleMemory(ModelFolder cuda, int maxTokens, PrintStream out) {
        CudaOptions little = new CudaOptions(0, 0.005, true, 1024);
        try (PagedModelRunner runner = PagedModelRunner.open(cuda, new RunnerOptions(8, 0, maxTokens, 0), little)) {
            return report(
                    out, "too little memory for the cache", "", runner.shape().slots() + " slots all the same");
        } catch (ModelLoadException e) {
            return report(
                    out, "too little memory for the cache", "gpu-memory-fraction", String.valueOf(e.getMessage()));
        }
    }

    /** Somebody takes the memory that a large step needs; when it is given back, requests are answered again. */
    private static boolean outOfMemory(ModelFolder cuda, int maxTokens, PrintStream out) {
        PagedModelRunner runner =
                PagedModelRunner.open(cuda, new RunnerOptions(PROMPTS, 1L << 30, maxTokens, 0), CudaOptions.DEFAULT);
        CudaRuntime other = new CudaRuntime(CudaPlatform.NVIDIA.runtime());
        try (Engine engine = Engine.start(runner, CONFIG, EngineListener.NONE)) {
            List<MemorySegment> taken = new ArrayList<>();
            for (long bytes = 8L << 30; bytes >= 1 << 20; ) {
                try {
                    taken.add(other.malloc(bytes));
                } catch (IllegalStateException e) {
                    bytes /= 2;
                }
            }
            String error = errorOf(engine);
            taken.forEach(other::free);
            boolean isAnswered = errorOf(engine).isEmpty();
            boolean isGood = report(out, "memory that somebody else took", "failed", error);
            isGood &= report(out, "afterwards", isAnswered ? "" : "!", isAnswered ? "answered again" : "not answered");
            return isGood;
        }
    }

    /** A kernel reads where nothing is, after which the driver refuses this process everything. */
    private static boolean kernelFault(ModelFolder cuda, int maxTokens, PrintStream out) {
        PagedModelRunner runner =
                PagedModelRunner.open(cuda, new RunnerOptions(PROMPTS, 1L << 30, maxTokens, 0), CudaOptions.DEFAULT);
        Engine engine = Engine.start(runner, CONFIG, EngineListener.NONE);
        boolean wasGood = errorOf(engine).isEmpty();
        try (CudaSession session = CudaSession.open(cuda, CudaOptions.DEFAULT, CudaPlatform.NVIDIA)) {
            MemorySegment nowhere = MemorySegment.ofAddress(1 << 12);
            new LogitRanking(session, nowhere, 64, 64, nowhere, nowhere).run(1);
            session.await();
        } catch (IllegalStateException e) {
            out.println("       " + e.getMessage());
        }
        String error = errorOf(engine);
        boolean isKnown = !engine.stats().isHealthy();
        boolean isGood = report(out, "a kernel's fault", "failed", error);
        isGood &= report(out, "health after it", wasGood && isKnown ? "" : "!", isKnown ? "unhealthy" : "healthy");
        return isGood;
    }

    /** The error with which long prompts at once end, empty if they are answered. */
    private static String errorOf(Engine engine) {
        Random random = new Random(1);
        int length = Math.min(900, engine.shape().maxTokens() - 4);
        String error = "";
        List<Mono<?>> all = new ArrayList<>();
        for (int i = 0; i < PROMPTS; i++) {
            int[] prompt =
                    random.ints(length, 0, engine.shape().vocabularySize()).toArray();
            all.add(engine.generate(new GenerationRequest("fault", prompt, SamplingParams.greedyExactly(2)))
                    .collectList()
                    .cache());
        }
        all.forEach(Mono::subscribe);
        for (Mono<?> one : all) {
            try {
                one.block();
            } catch (EngineFailedException e) {
                error = e.getMessage() + ": "
                        + (e.getCause() == null ? "" : e.getCause().getMessage());
            }
        }
        return error;
    }

    private static boolean report(PrintStream out, String fault, String expected, String found) {
        boolean isGood = found.contains(expected) && !found.isEmpty();
        out.println((isGood ? "ok     " : "FAILED ") + fault + ": " + found);
        return isGood;
    }
}
