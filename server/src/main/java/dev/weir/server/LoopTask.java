package dev.weir.server;

import io.vertx.core.Context;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Something that an event loop does whenever another thread asks, as with {@link Context#runOnContext}. But asking makes no
 * object, and all tasks of a loop that are asked for before it gets to them, as the streams of a step are, are one task to
 * it. They run on their context's thread, while Vert.x's current context is that of whoever asked first.
 */
final class LoopTask {
    private static final ThreadLocal<Loop> LOOPS = ThreadLocal.withInitial(Loop::new);

    private final Loop loop = LOOPS.get();
    private final Context context;
    private final Runnable task;
    private @Nullable LoopTask next;

    /** A task of this thread, which is that of the context. */
    LoopTask(Context context, Runnable task) {
        this.context = context;
        this.task = task;
    }

    /** Has the task done soon, in the order of asking. On any thread, but not again before the task has begun. */
    void ask() {
        LoopTask before;
        do {
            before = loop.lastAsked.get();
            next = before;
        } while (!loop.lastAsked.compareAndSet(before, this));
        if (before == null) {
            context.runOnContext(_ -> loop.work());
        }
    }

    private void run() {
        try {
            task.run();
        } catch (RuntimeException | Error e) { // the context's own to report, and no other task's to suffer from
            context.runOnContext(_ -> {
                throw e;
            });
        }
    }

    /** The tasks that a loop was asked for, linked from the last one to the first. */
    private static final class Loop {
        final AtomicReference<@Nullable LoopTask> lastAsked = new AtomicReference<>();

        void work() {
            LoopTask task = firstOf(lastAsked.getAndSet(null));
            while (task != null) {
                LoopTask following = task.next; // before it begins and may be asked for again
                task.run();
                task = following;
            }
        }

        /** Turns the links around. */
        private static @Nullable LoopTask firstOf(@Nullable LoopTask last) {
            LoopTask first = null;
            LoopTask task = last;
            while (task != null) {
                LoopTask before = task.next;
                task.next = first;
                first = task;
                task = before;
            }
            return first;
        }
    }
}
