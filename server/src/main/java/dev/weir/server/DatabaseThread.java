package dev.weir.server;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The thread that talks to a database, which may block it: does one thing after the other, in the order in which they were asked
 * for. What waits is bounded. Any thread may ask; it gets its answer on its own context.
 */
final class DatabaseThread {
    private static final int MOST_PENDING = 10_000;
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(10);

    private final long mostBytes;
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong pendingBytes = new AtomicLong();
    private final ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
        Thread thread = new Thread(task, "weir-store");
        thread.setDaemon(true); // a database that never answers must not keep the process
        return thread;
    });

    /** Something to do there. */
    interface Task<T> {
        T run() throws Exception;
    }

    /** Too much waits, or the thread was closed. */
    static final class FullException extends Exception {
        private static final long serialVersionUID = 1;

        private FullException(String message) {
            super(message, null, false, false);
        }
    }

    /** It was not done in time, but may be yet. */
    static final class LateException extends Exception {
        private static final long serialVersionUID = 1;

        private LateException(Duration patience) {
            super("the database did not answer within " + patience.toMillis() + " ms", null, false, false);
        }
    }

    /** A thread for which as many bytes may wait. */
    DatabaseThread(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /**
     * Does something.
     *
     * @param bytes what it holds in memory until it is done
     * @param patience how long to wait, on a context of Vert.x, before the future fails with {@link LateException}
     */
    <T> Future<T> run(long bytes, Duration patience, Task<T> task) {
        boolean isFull = pending.incrementAndGet() > MOST_PENDING;
        isFull |= pendingBytes.addAndGet(bytes) > mostBytes && bytes > 0;
        if (isFull) {
            release(bytes);
            return Future.failedFuture(new FullException("too much waits for the database"));
        }
        Context context = Vertx.currentContext();
        Promise<T> promise = Promise.promise();
        long timer = context == null
                ? 0
                : context.owner().setTimer(patience.toMillis(), _ -> promise.tryFail(new LateException(patience)));
        try {
            executor.execute(() -> {
                Runnable answer;
                try {
                    T done = task.run();
                    answer = () -> promise.tryComplete(done);
                } catch (Exception e) {
                    answer = () -> promise.tryFail(e);
                }
                release(bytes);
                give(context, timer, answer);
            });
        } catch (RejectedExecutionException _) {
            release(bytes);
            give(context, timer, () -> promise.tryFail(new FullException("the server has stopped")));
        }
        return promise.future();
    }

    /** Does something now, and again and again with a pause between. */
    void repeat(Runnable task, Duration pause) {
        var _ = executor.scheduleWithFixedDelay(task, 0, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Does what waits, for as long as that takes within reason, and then something more. */
    void close(Runnable last) {
        try {
            executor.execute(last);
        } catch (RejectedExecutionException _) {
            return; // it is closed already
        }
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                int left = executor.shutdownNow().size();
                Logs.SERVER.error("the database did not do {} things in time, which are lost", left);
            }
        } catch (InterruptedException _) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void release(long bytes) {
        pending.decrementAndGet();
        pendingBytes.addAndGet(-bytes);
    }

    private static void give(@Nullable Context context, long timer, Runnable answer) {
        if (context == null) {
            answer.run();
            return;
        }
        context.runOnContext(_ -> {
            context.owner().cancelTimer(timer);
            answer.run();
        });
    }
}
