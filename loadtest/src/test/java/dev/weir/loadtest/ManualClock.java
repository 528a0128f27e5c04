package dev.weir.loadtest;

import java.util.PriorityQueue;

/** A clock that stands still until a test moves it, running the tasks it passes at exactly their times. */
final class ManualClock implements LoadClock {

    private record Task(long atNanos, long order, Runnable body) {}

    private final PriorityQueue<Task> tasks = new PriorityQueue<>((a, b) ->
            a.atNanos() != b.atNanos() ? Long.compare(a.atNanos(), b.atNanos()) : Long.compare(a.order(), b.order()));
    private long now;
    private long order;

    @Override
    public long nanoTime() {
        return now;
    }

    @Override
    public void schedule(long delayNanos, Runnable task) {
        tasks.add(new Task(now + Math.max(0, delayNanos), order++, task));
    }

    void advanceMillis(long millis) {
        long until = now + millis * 1_000_000;
        while (!tasks.isEmpty() && tasks.element().atNanos() <= until) {
            Task task = tasks.remove();
            now = task.atNanos();
            task.body().run();
        }
        now = until;
    }
}
