package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What an event loop is asked for is done, each time, in order. */
final class LoopTaskTest {
    private final Vertx vertx = Vertx.vertx();
    private final Context context = vertx.getOrCreateContext();
    private final List<String> done = Collections.synchronizedList(new ArrayList<>());

    @AfterEach
    void close() {
        vertx.close().toCompletionStage().toCompletableFuture().join();
    }

    @Test
    void tasksAreDoneInTheOrderOfAsking() {
        List<LoopTask> tasks = onLoop(() -> IntStream.range(0, 5)
                .mapToObj(i -> new LoopTask(context, () -> done.add("task " + i)))
                .toList());
        for (int i : new int[] {3, 0, 4, 1, 2}) {
            tasks.get(i).ask();
        }
        settle();
        assertThat(done).containsExactly("task 3", "task 0", "task 4", "task 1", "task 2");
    }

    @Test
    void tasksAskedForWhileTheLoopIsBusyCostItOneWakeUp() {
        List<LoopTask> tasks = onLoop(() -> IntStream.range(0, 3)
                .mapToObj(i -> new LoopTask(context, () -> done.add("task")))
                .toList());
        CountDownLatch asked = new CountDownLatch(1);
        context.runOnContext(_ -> await(asked));
        tasks.get(0).ask();
        context.runOnContext(_ -> done.add("something else"));
        tasks.get(1).ask();
        tasks.get(2).ask();
        asked.countDown();
        settle();
        assertThat(done).containsExactly("task", "task", "task", "something else");
    }

    @Test
    void taskThatFailsIsReportedAndStopsNoOther() {
        CompletableFuture<Throwable> reported = new CompletableFuture<>();
        context.exceptionHandler(reported::complete);
        AssertionError cause = new AssertionError("broken");
        List<LoopTask> tasks = onLoop(() -> List.of(
                new LoopTask(context, () -> {
                    throw cause;
                }),
                new LoopTask(context, () -> done.add("other"))));
        tasks.forEach(LoopTask::ask);
        settle();
        assertThat(done).containsExactly("other");
        assertThat(reported).isCompletedWithValue(cause);
    }

    @Test
    void nothingAskedForIsLostWhileManyAskAtOnce() throws Exception {
        int rounds = 20_000;
        AtomicInteger turns = new AtomicInteger();
        List<Thread> askers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            AtomicBoolean isAsked = new AtomicBoolean();
            LoopTask task = onLoop(() -> new LoopTask(context, () -> {
                turns.incrementAndGet();
                isAsked.set(false);
            }));
            askers.add(new Thread(() -> {
                for (int round = 0; round < rounds; ) {
                    if (isAsked.compareAndSet(false, true)) {
                        task.ask();
                        round++;
                    } else {
                        Thread.onSpinWait();
                    }
                }
            }));
        }
        askers.forEach(Thread::start);
        for (Thread asker : askers) {
            asker.join();
        }
        settle();
        assertThat(turns).hasValue(3 * rounds);
    }

    private <T> T onLoop(Supplier<T> supplier) {
        CompletableFuture<T> made = new CompletableFuture<>();
        context.runOnContext(_ -> made.complete(supplier.get()));
        return made.orTimeout(20, TimeUnit.SECONDS).join();
    }

    /** Waits until the loop has done what it was asked for, and what that asked of it. */
    private void settle() {
        onLoop(() -> "");
        onLoop(() -> "");
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
