package dev.weir.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * One thread that asks a model of whole sequences, one after the other, with a bounded queue before it. Any thread hands
 * over; closing it lets what has begun end and fails what waits.
 */
final class SequenceWorker implements AutoCloseable {
    private static final long CLOSE_PATIENCE_SECONDS = 60;
    private static final int MOST_RETRY_SECONDS = 60;

    private final Function<int[], float[]> model;
    private final ThreadPoolExecutor thread;

    /** What the last request took. Written by the thread. */
    private volatile long requestNanos;

    /**
     * A worker of its own.
     *
     * @param name of the thread
     * @param model what the model says of a sequence; only this thread calls it
     * @param queued requests that may wait
     */
    SequenceWorker(String name, Function<int[], float[]> model, int queued) {
        this.model = model;
        thread = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(queued),
                Thread.ofPlatform().name(name).factory());
    }

    /**
     * Asks of sequences.
     *
     * @param answer what is made of what is said of each, in their order, on the worker's thread
     * @param isLeft whether nobody waits for the answer any more, so that what is left of it is not computed
     * @return the answer
     * @throws RetryLaterException if too many wait already, or the server stops
     */
    <T> CompletableFuture<T> run(List<int[]> sequences, Function<List<float[]>, T> answer, BooleanSupplier isLeft) {
        CompletableFuture<T> answered = new CompletableFuture<>();
        try {
            thread.execute(() -> {
                long startNanos = System.nanoTime();
                try {
                    answered.complete(answer.apply(said(sequences, isLeft)));
                } catch (RuntimeException | Error e) {
                    answered.completeExceptionally(e);
                } finally {
                    requestNanos = System.nanoTime() - startNanos;
                }
            });
        } catch (RejectedExecutionException _) {
            throw thread.isShutdown() ? RetryLaterException.stopping() : overloaded();
        }
        return answered;
    }

    private RetryLaterException overloaded() {
        int waiting = thread.getQueue().size();
        long seconds = Math.clamp(TimeUnit.NANOSECONDS.toSeconds(waiting * requestNanos) + 1, 1, MOST_RETRY_SECONDS);
        return RetryLaterException.overloaded(
                waiting + " requests are already waiting; try again in " + seconds + " s", seconds);
    }

    private List<float[]> said(List<int[]> sequences, BooleanSupplier isLeft) {
        List<float[]> all = new ArrayList<>(sequences.size());
        for (int[] sequence : sequences) {
            if (isLeft.getAsBoolean()) {
                throw new CancellationException("the client left");
            }
            if (thread.isShutdown()) {
                throw RetryLaterException.stopping();
            }
            all.add(model.apply(sequence));
        }
        return all;
    }

    @Override
    public void close() {
        thread.shutdown(); // what waits is still taken up, and finds that it is over
        try {
            if (!thread.awaitTermination(CLOSE_PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                Logs.SERVER.warn("a sequence is still being computed after {} s", CLOSE_PATIENCE_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
