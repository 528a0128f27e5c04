package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineListener;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.BareLoop;
import dev.weir.onnx.EngineLoop;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.PagedModelRunner;
import dev.weir.onnx.Peer;
import dev.weir.onnx.RunnerOptions;
import dev.weir.onnx.TokenTimes;
import java.util.List;
import java.util.Optional;

/** This project's own model to be measured, bare and in the engine, on one copy of its weights. Used by one thread. */
final class BenchModel implements AutoCloseable {
    /** Prompt tokens, and prompts, that a GPU computes in one run. */
    private static final int GPU_TOKENS = 8192;

    private static final int GPU_PROMPTS = 64;

    private final ModelRunner runner;
    private final DeviceOptions device;
    private final int threads;
    private final int prefillChunk;

    private BenchModel(ModelRunner runner, DeviceOptions device, int threads, int prefillChunk) {
        this.runner = runner;
        this.device = device;
        this.threads = threads;
        this.prefillChunk = prefillChunk;
    }

    /**
     * Opens the model with a cache no larger than the load needs, and none for prefixes: every prompt is computed.
     *
     * @param threads of the CPU; 0 is one per physical core
     */
    static BenchModel open(ModelFolder folder, DeviceOptions device, BenchLoad load, int threads, int prefillChunk) {
        RunnerOptions options = new RunnerOptions(load.sequences(), 0, load.maxTokens(), threads);
        if (device.isCuda()) {
            return new BenchModel(PagedModelRunner.open(folder, options, device.cuda()), device, 0, prefillChunk);
        }
        OnnxModelRunner runner = OnnxModelRunner.open(folder, options);
        return new BenchModel(runner, device, runner.threads(), prefillChunk);
    }

    /** Threads that compute; 0 on a GPU. */
    int threads() {
        return threads;
    }

    /** The model on a GPU, for what only that can tell. */
    Optional<PagedModelRunner> gpu() {
        return runner instanceof PagedModelRunner paged ? Optional.of(paged) : Optional.empty();
    }

    /** What the latest step moved to and from a GPU. */
    Optional<Peer.Traffic> traffic() {
        return gpu().map(gpu -> new Peer.Traffic(gpu.sentBytes(), gpu.fetchedBytes()));
    }

    int vocabularySize() {
        return runner.shape().vocabularySize();
    }

    TokenTimes runBare(List<Peer.Prompt> prompts, int newTokens) {
        return BareLoop.run(runner, tokens(prompts), newTokens, prefillChunk, together(prompts));
    }

    private int together(List<Peer.Prompt> prompts) {
        int tokens = Math.min(prefillChunk, prompts.getFirst().tokens().length);
        return device.isCuda() ? Math.clamp(GPU_TOKENS / tokens, 1, GPU_PROMPTS) : 1;
    }

    /** The engine has the model for so long; then the bare loop may have it again. */
    TokenTimes runEngine(List<Peer.Prompt> prompts, int newTokens) {
        // Without guesses, which the bare loop has none of: what is compared is the same computation.
        try (Engine engine = Engine.start(new Lent(runner), device.engine().withDraftTokens(0), EngineListener.NONE)) {
            if (device.isCuda()) { // an engine's thread records CUDA graphs of its own, once
                EngineLoop.run(engine, tokens(prompts), newTokens);
            }
            return EngineLoop.run(engine, tokens(prompts), newTokens);
        }
    }

    @Override
    public void close() {
        runner.close();
    }

    private static List<int[]> tokens(List<Peer.Prompt> prompts) {
        return prompts.stream().map(Peer.Prompt::tokens).toList();
    }

    /** A runner that outlives the engine that closes it. */
    private record Lent(ModelRunner runner) implements ModelRunner {
        @Override
        public ModelShape shape() {
            return runner.shape();
        }

        @Override
        public Logits run(StepPlan plan) {
            return runner.run(plan);
        }

        @Override
        public boolean computesApart() {
            return runner.computesApart();
        }

        @Override
        public int threads() {
            return runner.threads();
        }

        @Override
        public void interrupt() {
            runner.interrupt();
        }

        @Override
        public void close() {
            // whoever lent it does
        }
    }
}
