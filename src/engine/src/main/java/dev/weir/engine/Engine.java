package dev.weir.engine;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Continuous batching of one model: the public handle of the engine thread. Any thread may call it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE)) {
 *     engine.generate(new GenerationRequest("a", prompt, SamplingParams.greedy(64))).subscribe(output -> ...);
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
    private final ModelShape shape;
    private final BlockingQueue<EngineCommand> commands = new LinkedBlockingQueue<>();
    private final Places places;
    private final EngineCore core;
    private final Thread thread;

    private Engine(ModelRunner runner, EngineConfig config, EngineListener listener) {
        shape = runner.shape();
        places = new Places(shape.slots() + config.maxQueuedRequests(), config.maxQueuedTokens());
        core = new EngineCore(runner, config, listener, commands);
        thread = new Thread(core, "weir-engine");
    }

    /** Starts an engine thread that owns {@code runner} from now on and closes it in the end. */
    public static Engine start(ModelRunner runner, EngineConfig config, EngineListener listener) {
        Engine engine = new Engine(runner, config, listener);
        engine.thread.start();
        return engine;
    }

    /**
     * A generation that starts on subscription; each subscription is a generation of its own.
     *
     * <p>Outputs are published on the engine thread: a subscriber must return at once. Demand reaches the scheduler: a
     * sequence is computed only while its subscriber has asked for more. The subscription is a {@link GenerationSubscription}, which
     * can also be told that nobody reads for now. Cancelling frees the slot before the next step.
     * The stream fails at once with {@link OverloadedException} when the queue is full, with
     * {@link ContextLengthExceededException} or {@link IllegalArgumentException} when the request cannot be served, and
     * with {@link EngineFailedException} when the model fails or the engine is closed.
     */
    public Flux<StepOutput> generate(GenerationRequest request) {
        return new Generation(request);
    }

    /** What the engine was doing after its latest step. */
    public EngineStats stats() {
        return core.stats();
    }

    /** Generations that may run and wait at the same time. */
    public int maxInFlight() {
        return places.mostRequests();
    }

    public ModelShape shape() {
        return shape;
    }

    /** Stops after the current step: running and waiting streams fail with {@link EngineFailedException}. */
    @Override
    public void close() {
        commands.add(new EngineCommand.Stop());
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The state of the scheduler, for checks between steps; only while the engine thread stands still. */
    Scheduler scheduler() {
        return core.scheduler();
    }

    private final class Generation extends Flux<StepOutput> {
        private final GenerationRequest request;

        Generation(GenerationRequest request) {
            this.request = request;
        }

        @Override
        public void subscribe(CoreSubscriber<? super StepOutput> subscriber) {
            RuntimeException invalid = refusal();
            if (invalid != null) {
                Operators.error(subscriber, invalid);
                return;
            }
            Places.Place place = places.take(request.tenant(), request.promptTokens().length);
            if (place == null) {
                int waiting = Math.max(0, places.requests() - shape.slots());
                Duration patience =
                        Duration.ofSeconds(SchedulingPolicy.retryAfterSeconds(waiting, core.nanosPerFinish()));
                Operators.error(subscriber, new OverloadedException(waiting, places.waitingTokens(), patience));
                return;
            }
            TokenSubscription stream = new TokenSubscription(subscriber, commands::add);
            Sequence sequence;
            try {
                sequence = new Sequence(request, stream, shape, System.nanoTime(), place);
            } catch (RuntimeException e) { // its constraint cannot be made
                place.ended();
                Operators.error(subscriber, e);
                return;
            }
            stream.bind(sequence);
            subscriber.onSubscribe(stream);
            EngineCommand.Submit submit = new EngineCommand.Submit(sequence);
            commands.add(submit);
            if (core.hasEnded() && commands.remove(submit)) { // the engine thread will not see it any more
                place.ended();
                stream.fail(new EngineFailedException("the engine is closed"));
            }
        }

        private @Nullable RuntimeException refusal() {
            int[] prompt = request.promptTokens();
            if (prompt.length >= shape.maxTokens()) {
                return new ContextLengthExceededException(prompt.length, shape.maxTokens());
            }
            for (int token : prompt) {
                if (!isKnown(token)) {
                    return unknown("the prompt", token);
                }
            }
            SamplingParams sampling = request.sampling();
            RuntimeException invalid = unknownOf("stop_token_ids", sampling.stopTokenIds());
            invalid = invalid != null ? invalid : unknownOf("allowed_token_ids", sampling.allowedTokenIds());
            invalid = invalid != null
                    ? invalid
                    : unknownOf("logit_bias", sampling.logitBias().keySet());
            for (List<Integer> word : sampling.badWords()) {
                invalid = invalid != null ? invalid : unknownOf("bad_words", word);
            }
            return invalid;
        }

        private @Nullable RuntimeException unknownOf(String name, Collection<Integer> tokens) {
            for (int token : tokens) {
                if (!isKnown(token)) {
                    return unknown(name, token);
                }
            }
            return null;
        }

        private boolean isKnown(int token) {
            return token >= 0 && token < shape.vocabularySize();
        }

        private RuntimeException unknown(String holder, int token) {
            return new IllegalArgumentException(
                    holder + " holds token id " + token + " but ids go from 0 to " + (shape.vocabularySize() - 1));
        }
    }
}
