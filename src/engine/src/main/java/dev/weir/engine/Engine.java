package dev.weir.engine;

import reactor.core.publisher.Flux;

/**
 * Continuous batching of one model: the public handle of the engine thread. Any thread may call it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE)) {
 *     engine.generate(new GenerationRequest("a", prompt, SamplingParams.greedy(64))).subscribe(output -> ...);
 * }
 * }</pre>
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Engine implements AutoCloseable {
    private Engine() {}

    /** Starts an engine thread that owns {@code runner} and closes it in the end. */
    public static Engine start(ModelRunner runner, EngineConfig config, EngineListener listener) {
        throw new IllegalStateException("not written yet");
    }

    /**
     * A generation that starts on subscription; each subscription is a generation of its own.
     *
     * <p>Outputs are published on the engine thread: a subscriber must return at once. Demand reaches the scheduler: a
     * sequence is computed only while its subscriber has asked for more. Cancelling frees the slot before the next step.
     * The stream fails at once with {@link OverloadedException} when the queue is full, with
     * {@link ContextLengthExceededException} or {@link IllegalArgumentException} when the request cannot be served, and
     * with {@link EngineFailedException} when the model fails.
     */
    public Flux<StepOutput> generate(GenerationRequest request) {
        throw new IllegalStateException("not written yet");
    }

    /** What the engine is doing. */
    public EngineStats stats() {
        throw new IllegalStateException("not written yet");
    }

    /** Stops after the current step: running and waiting streams fail with {@link EngineFailedException}. */
    @Override
    public void close() {}
}
