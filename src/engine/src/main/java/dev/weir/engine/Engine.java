package dev.weir.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Continuous batching of one model: the public handle of its engine thread, or of several where several devices compute it. Any
 * thread may call it.
 *
 * <pre>{@code
 * try (Engine engine = Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE)) {
 *     engine.generate(new GenerationRequest("a", prompt, SamplingParams.greedy(64))).subscribe(output -> ...);
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
    private static final String THREAD_NAME = "weir-engine";

    private final ModelShape shape;
    private final List<EngineThread> threads;

    private Engine(List<? extends ModelRunner> runners, EngineConfig config, EngineListener listener) {
        shape = commonShape(runners);
        List<EngineThread> all = new ArrayList<>();
        for (ModelRunner runner : runners) {
            String name = runners.size() == 1 ? THREAD_NAME : THREAD_NAME + "-" + all.size();
            all.add(new EngineThread(name, runner, shape, config, listener));
        }
        threads = List.copyOf(all);
    }

    /** Starts an engine thread that owns {@code runner} from now on and closes it in the end. */
    public static Engine start(ModelRunner runner, EngineConfig config, EngineListener listener) {
        return start(List.of(runner), config, listener);
    }

    /**
     * Starts an engine thread for each of some runners of the same model, at least one. Each has room, a queue and a prefix cache
     * of its own, as the settings say, and tells the listener of its own accord. A request is computed on one of them.
     *
     * @throws IllegalArgumentException if their vocabularies differ; the runners are then still the caller's
     */
    public static Engine start(List<? extends ModelRunner> runners, EngineConfig config, EngineListener listener) {
        Engine engine = new Engine(runners, config, listener);
        engine.threads.forEach(EngineThread::start);
        return engine;
    }

    private static ModelShape commonShape(List<? extends ModelRunner> runners) {
        ModelShape common = runners.getFirst().shape();
        for (ModelRunner runner : runners.subList(1, runners.size())) {
            common = common.and(runner.shape());
        }
        return common;
    }

    /**
     * A generation that starts on subscription; each subscription is a generation of its own.
     *
     * <p>Of several devices, that one computes it which has promised the smallest share of its cache to requests that have not
     * ended, each as long as it may become. One on which a step has failed gets no more while there are others, and where one has no
     * room for a request the next is tried.
     *
     * <p>Outputs are published on an engine thread: a subscriber must return at once. Demand reaches the scheduler: a
     * sequence is computed only while its subscriber has asked for more. The subscription is a {@link GenerationSubscription}, which
     * can also be told that nobody reads for now. Cancelling frees the slot before the next step.
     * The stream fails at once with {@link OverloadedException} when the queue is full, with
     * {@link ContextLengthExceededException} or {@link IllegalArgumentException} when the request cannot be served, and
     * with {@link EngineFailedException} when the model fails or the engine is closed.
     */
    public Flux<StepOutput> generate(GenerationRequest request) {
        return new Generation(request);
    }

    /** What the engine was doing after its latest step, on all devices together. */
    public EngineStats stats() {
        EngineStats sum = threads.getFirst().stats();
        for (EngineThread thread : threads.subList(1, threads.size())) {
            sum = sum.plus(thread.stats());
        }
        return sum;
    }

    /** Generations that may run and wait at the same time. */
    public int maxInFlight() {
        return threads.stream().mapToInt(EngineThread::maxInFlight).sum();
    }

    /** What is true of every request, with the slots of all devices. */
    public ModelShape shape() {
        return shape;
    }

    /** Stops after the current step: running and waiting streams fail with {@link EngineFailedException}. */
    @Override
    public void close() {
        threads.forEach(EngineThread::stop);
        threads.forEach(EngineThread::awaitEnd);
    }

    /** The state of the only scheduler, for checks between steps; only while the engine thread stands still. */
    Scheduler scheduler() {
        return threads.getFirst().scheduler();
    }

    /** Tokens that each thread has promised to requests, for checks. */
    List<Long> promisedTokens() {
        return threads.stream().map(EngineThread::promisedTokens).toList();
    }

    /** The threads that a request may go to, best first. */
    private List<EngineThread> candidates() {
        if (threads.size() == 1) {
            return threads;
        }
        List<EngineThread> healthy =
                threads.stream().filter(thread -> thread.stats().isHealthy()).toList();
        return (healthy.isEmpty() ? threads : healthy)
                .stream()
                        .map(Candidate::new)
                        .sorted(Comparator.comparingDouble(Candidate::promisedShare))
                        .map(Candidate::thread)
                        .toList();
    }

    /** A thread with its promised share at one moment: sorting would be confused by one that changes meanwhile. */
    private record Candidate(EngineThread thread, double promisedShare) {
        Candidate(EngineThread thread) {
            this(thread, thread.promisedShare());
        }
    }

    private final class Generation extends Flux<StepOutput> {
        private final GenerationRequest request;

        Generation(GenerationRequest request) {
            this.request = request;
        }

        @Override
        public void subscribe(CoreSubscriber<? super StepOutput> subscriber) {
            RuntimeException refusal = invalidity();
            if (refusal == null) {
                refusal = generate(subscriber);
            }
            if (refusal != null) {
                Operators.error(subscriber, refusal);
            }
        }

        /** Starts on the first thread that has room; if there is none, who says that it will have some soonest is heard. */
        private @Nullable OverloadedException generate(CoreSubscriber<? super StepOutput> subscriber) {
            OverloadedException soonest = null;
            for (EngineThread thread : candidates()) {
                OverloadedException overload = thread.generate(request, subscriber);
                if (overload == null) {
                    return null;
                }
                soonest = overload.orSooner(soonest);
            }
            return soonest;
        }

        private @Nullable RuntimeException invalidity() {
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
