package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.BareLoop;
import dev.weir.onnx.EngineLoop;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.Peer;
import dev.weir.onnx.RunnerOptions;
import dev.weir.onnx.TokenTimes;
import java.util.List;

/** This project's own model to be measured, bare and in the engine, on one copy of its weights. Used by one thread. */
final class BenchModel implements AutoCloseable {
    private final OnnxModelRunner runner;
    private final int prefillChunk;

    private BenchModel(OnnxModelRunner runner, int prefillChunk) {
        this.runner = runner;
        this.prefillChunk = prefillChunk;
    }

    /**
     * Opens the model with a cache no larger than the load needs, and none for prefixes: every prompt is computed.
     *
     * @param threads 0 is one per physical core
     */
    static BenchModel open(ModelFolder folder, BenchLoad load, int threads, int prefillChunk) {
        RunnerOptions options = new RunnerOptions(load.sequences(), 0, load.maxTokens(), threads);
        return new BenchModel(OnnxModelRunner.open(folder, options), prefillChunk);
    }

    int threads() {
        return runner.threads();
    }

    int vocabularySize() {
        return runner.shape().vocabularySize();
    }

    TokenTimes runBare(List<Peer.Prompt> prompts, int newTokens) {
        return BareLoop.run(runner, tokens(prompts), newTokens, prefillChunk);
    }

    /** The engine has the model for so long; then the bare loop may have it again. */
    TokenTimes runEngine(List<Peer.Prompt> prompts, int newTokens) {
        try (Engine engine = Engine.start(new Lent(runner), EngineConfig.DEFAULT, EngineListener.NONE)) {
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
        public void close() {
            // whoever lent it does
        }
    }
}
