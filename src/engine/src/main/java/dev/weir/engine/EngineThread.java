package dev.weir.engine;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;

/** One engine thread as others see it: the way to it, its room for requests, and how much it has promised. Any thread. */
final class EngineThread {
    private final ModelShape shape;
    private final int slots;
    private final long cacheCapacity;
    private final BlockingQueue<EngineCommand> commands = new LinkedBlockingQueue<>();
    private final Places places;
    private final EngineCore core;
    private final Thread thread;

    /**
     * A thread that has not started.
     *
     * @param shape what is true of the model on each device; the slots are the runner's own
     */
    EngineThread(String name, ModelRunner runner, ModelShape shape, EngineConfig config, EngineListener listener) {
        this.shape = shape;
        slots = runner.shape().slots();
        places = new Places(slots + config.maxQueuedRequests(), config.maxQueuedTokens());
        core = new EngineCore(runner, config, listener, commands);
        cacheCapacity = core.stats().cacheCapacity();
        thread = new Thread(core, name);
    }

    void start() {
        thread.start();
    }

    EngineStats stats() {
        return core.stats();
    }

    /** Generations that may run and wait at the same time. */
    int maxInFlight() {
        return places.mostRequests();
    }

    /** Tokens that the cache has to hold if all requests become as long as they may. */
    long promisedTokens() {
        return places.promisedTokens();
    }

    /** The same as a share of the cache; more than 1 where requests wait. Right between any two requests, unlike {@link #stats}. */
    double promisedShare() {
        return (double) promisedTokens() / cacheCapacity;
    }

    /**
     * Starts a generation, if there is room for it.
     *
     * @return why there is none, which the subscriber has not heard; null if all else is the subscriber's to hear
     */
    @Nullable
    OverloadedException generate(GenerationRequest request, CoreSubscriber<? super StepOutput> subscriber) {
        int promptTokens = request.promptTokens().length;
        long wanted = (long) promptTokens + request.sampling().maxTokens();
        Places.Place place = places.take(request.tenant(), promptTokens, (int) Math.min(wanted, shape.maxTokens()));
        if (place == null) {
            return overload();
        }
        TokenSubscription stream = new TokenSubscription(subscriber, commands::add);
        Sequence sequence;
        try {
            sequence = new Sequence(request, stream, shape, System.nanoTime(), place);
        } catch (RuntimeException e) { // its constraint cannot be made
            place.ended();
            Operators.error(subscriber, e);
            return null;
        }
        stream.bind(sequence);
        subscriber.onSubscribe(stream);
        EngineCommand.Submit submit = new EngineCommand.Submit(sequence);
        commands.add(submit);
        core.interruption().requested(places.requests(request.tenant()), System.nanoTime());
        if (core.hasEnded() && commands.remove(submit)) { // the engine thread will not see it any more
            place.ended();
            stream.fail(new EngineFailedException("the engine is closed"));
        }
        return null;
    }

    private OverloadedException overload() {
        int waiting = Math.max(0, places.requests() - slots);
        Duration patience = Duration.ofSeconds(SchedulingPolicy.retryAfterSeconds(waiting, core.nanosPerFinish()));
        return new OverloadedException(waiting, places.waitingTokens(), patience);
    }

    /** Asks the thread to end after the current step. */
    void stop() {
        commands.add(new EngineCommand.Stop());
    }

    /** Waits until it has ended, however often this thread is interrupted meanwhile. */
    void awaitEnd() {
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

    Scheduler scheduler() {
        return core.scheduler();
    }
}
