package dev.weir.engine;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLongFieldUpdater;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Operators;

/**
 * The subscriber's end of one generation: carries demand and cancellation in, outputs out. Demand and cancellation may
 * come from any thread; outputs are published on the engine thread alone, never more of them than were asked for.
 */
final class TokenSubscription implements GenerationSubscription {
    private static final AtomicLongFieldUpdater<TokenSubscription> DEMAND =
            AtomicLongFieldUpdater.newUpdater(TokenSubscription.class, "demand");
    private static final System.Logger LOG = System.getLogger(TokenSubscription.class.getName());

    private final CoreSubscriber<? super StepOutput> subscriber;
    private final Consumer<EngineCommand> commands;
    private volatile long demand;
    private final AtomicBoolean ended = new AtomicBoolean();
    private @Nullable Sequence sequence;

    TokenSubscription(CoreSubscriber<? super StepOutput> subscriber, Consumer<EngineCommand> commands) {
        this.subscriber = subscriber;
        this.commands = commands;
    }

    /** Ties the two ends together, before the subscriber hears of either. */
    void bind(Sequence bound) {
        sequence = bound;
    }

    @Override
    public void request(long count) {
        if (!Operators.validate(count) || ended.get()) {
            return;
        }
        Sequence bound = sequence;
        if (Operators.addCap(DEMAND, this, count) == 0 && bound != null) {
            commands.accept(new EngineCommand.Demand(bound));
        }
    }

    @Override
    public void cancel() {
        Sequence bound = sequence;
        if (ended.compareAndSet(false, true) && bound != null) {
            commands.accept(new EngineCommand.Cancel(bound));
        }
    }

    @Override
    public void away(boolean isAway) {
        Sequence bound = sequence;
        if (!ended.get() && bound != null) {
            commands.accept(new EngineCommand.Away(bound, isAway));
        }
    }

    boolean hasDemand() {
        return demand > 0;
    }

    boolean hasEnded() {
        return ended.get();
    }

    /** Publishes an output that was asked for. */
    void next(StepOutput output) {
        if (ended.get()) {
            return;
        }
        Operators.produced(DEMAND, this, 1);
        try {
            subscriber.onNext(output);
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    void complete() {
        if (ended.compareAndSet(false, true)) {
            publish(subscriber::onComplete);
        }
    }

    void fail(Throwable cause) {
        if (ended.compareAndSet(false, true)) {
            publish(() -> subscriber.onError(cause));
        }
    }

    /** A subscriber that throws breaks its own stream and no other. */
    private void publish(Runnable signal) {
        try {
            signal.run();
        } catch (RuntimeException e) {
            failed(e);
        }
    }

    private void failed(RuntimeException e) {
        LOG.log(System.Logger.Level.WARNING, "a subscriber failed; its generation is cancelled", e);
        cancel();
    }
}
