package dev.weir.onnx;

import dev.weir.engine.Engine;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import java.util.List;
import reactor.core.publisher.Flux;

/**
 * The engine without a server: the load of a {@link BareLoop} as so many requests at once. What it loses against the bare loop
 * is what scheduling, sampling and publishing cost. Static functions; any thread but the engine's.
 */
public final class EngineLoop {
    private EngineLoop() {}

    /** Generates from all prompts at once, greedily, on an engine that has nothing else to do. */
    public static TokenTimes run(Engine engine, List<int[]> prompts, int newTokens) {
        SamplingParams sampling = SamplingParams.greedyExactly(newTokens);
        TokenClock clock = new TokenClock(prompts.size(), newTokens);
        Flux.range(0, prompts.size())
                .flatMap(
                        number -> engine.generate(
                                        new GenerationRequest("bench-" + number, prompts.get(number), sampling))
                                .doOnNext(output -> {
                                    for (int i = 0; i < output.tokenIds().length; i++) {
                                        clock.arrived(number);
                                    }
                                }),
                        prompts.size())
                .blockLast();
        return clock.stop();
    }
}
