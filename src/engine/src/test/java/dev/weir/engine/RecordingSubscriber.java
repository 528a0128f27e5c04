package dev.weir.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;

/** A subscriber that keeps what it is told and asks for more only when the test says so. */
final class RecordingSubscriber implements CoreSubscriber<StepOutput> {
    private final List<Integer> tokens = new ArrayList<>();
    private final CompletableFuture<FinishReason> end = new CompletableFuture<>();
    private final long firstDemand;
    private int cachedTokens;
    volatile Subscription subscription;

    RecordingSubscriber() {
        this(Long.MAX_VALUE);
    }

    RecordingSubscriber(long firstDemand) {
        this.firstDemand = firstDemand;
    }

    @Override
    public void onSubscribe(Subscription given) {
        subscription = given;
        if (firstDemand > 0) {
            given.request(firstDemand);
        }
    }

    void away(boolean isAway) {
        ((GenerationSubscription) subscription).away(isAway);
    }

    @Override
    public synchronized void onNext(StepOutput output) {
        for (int token : output.tokenIds()) {
            tokens.add(token);
        }
        cachedTokens += output.cachedTokens();
        if (output.isFinished()) {
            end.complete(output.finishReason());
        }
        notifyAll();
    }

    @Override
    public void onError(Throwable cause) {
        end.completeExceptionally(cause);
    }

    @Override
    public void onComplete() {
        end.complete(null);
    }

    synchronized int cachedTokens() {
        return cachedTokens;
    }

    synchronized List<Integer> tokens() {
        return List.copyOf(tokens);
    }

    synchronized List<Integer> awaitTokens(int count) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (tokens.size() < count) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new AssertionError("only " + tokens.size() + " of " + count + " tokens came");
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        return List.copyOf(tokens);
    }

    FinishReason awaitEnd() throws Exception {
        return end.get(20, TimeUnit.SECONDS);
    }

    /** What it failed with; null if it did not. */
    @Nullable
    Throwable awaitOutcome() throws Exception {
        return end.handle((_, cause) -> cause).get(20, TimeUnit.SECONDS);
    }

    boolean hasEnded() {
        return end.isDone();
    }
}
