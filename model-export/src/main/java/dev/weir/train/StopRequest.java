package dev.weir.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Ctrl-C as a question that a loop asks between two steps; the exiting JVM waits for its answer, since libtorch must not
 * calculate while it is unloaded. Opened and closed by the thread that runs the loop, asked by any.
 */
final class StopRequest implements AutoCloseable {
    /** Long enough to save a model of a few hundred million weights. */
    private static final long WAIT_SECONDS = 60;

    private final AtomicBoolean isAsked = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread hook = new Thread(this::ask, "stop-on-exit");

    StopRequest() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void ask() {
        isAsked.set(true);
        try {
            if (!ended.await(WAIT_SECONDS, TimeUnit.SECONDS)) {
                System.err.println("gave up waiting for the last step: the save before it is kept");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Whether the process is to end. */
    boolean isAsked() {
        return isAsked.get();
    }

    /** Says that the loop has ended. */
    @Override
    public void close() {
        ended.countDown();
        if (!isAsked.get()) {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
    }
}
