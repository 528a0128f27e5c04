package dev.weir.onnx;

import dev.weir.engine.Engine;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import java.time.Duration;
import java.util.Random;
import reactor.core.publisher.Flux;

/**
 * The engine without a server: the load of a {@link BareLoop} as so many requests at once. What it loses against the bare loop
 * is what scheduling, sampling and publishing cost. Static functions; any thread but the engine's.
 */
public final class EngineLoop {
    private EngineLoop() {}

    /**
     * Time from the first request to the last token of all.
     *
     * @param load what was computed; its chunk length is the engine's own
     */
    public record Result(BareLoop.Load load, Duration time) {
        /** Generated tokens over the whole time. */
        public double tokensPerSecond() {
            return (double) load.sequences() * load.newTokens() * 1e9 / time.toNanos();
        }
    }

    /** Runs the load once, greedily, on an engine that has nothing else to do. */
    public static Result run(Engine engine, BareLoop.Load load) {
        int[] prompt = new Random(1)
                .ints(load.promptTokens(), 0, engine.shape().vocabularySize())
                .toArray();
        SamplingParams sampling = SamplingParams.greedyExactly(load.newTokens());
        long start = System.nanoTime();
        Flux.range(0, load.sequences())
                .flatMap(
                        number -> engine.generate(new GenerationRequest("bench-" + number, prompt, sampling)),
                        load.sequences())
                .blockLast();
        return new Result(load, Duration.ofNanos(System.nanoTime() - start));
    }
}
