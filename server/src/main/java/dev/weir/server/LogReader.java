package dev.weir.server;

import dev.weir.protocol.ApiError;
import io.vertx.core.Context;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A connection that follows the events of a response: takes them out of its {@link ResponseLog}, from some place on, as fast as its
 * outlet has room. Owned by the context of the connection; the response, which may belong to another, only calls
 * {@link #wake} and {@link #taken}.
 *
 * <p>It is over once: after the last event, when the response was refused, when the connection is gone ({@link #leave}), or
 * when the client has read nothing for too long.
 */
final class LogReader {
    /** No timer of Vert.x has this number. */
    private static final long NO_TIMER = -1;

    private final Thread thread = Thread.currentThread();
    private final Context context;
    private final Services services;
    private final Outlet outlet;
    private final Runnable whenOver;
    private final AtomicBoolean isWoken = new AtomicBoolean();
    private volatile int taken;

    private @Nullable EventSource source;
    private ResponseLog.@Nullable Entry position;
    private long stallTimer = NO_TIMER;
    private boolean isOpen;
    private boolean isOver;

    /**
     * A reader that does not follow anything yet.
     *
     * @param context of the connection, on whose thread this is called
     * @param whenOver told once, after the last event, unless the connection is gone
     */
    LogReader(Services services, Context context, Outlet outlet, Runnable whenOver) {
        this.services = services;
        this.context = context;
        this.outlet = outlet;
        this.whenOver = whenOver;
    }

    /** The response that it follows; null before and after, and for one that is only replayed. */
    @Nullable
    Response response() {
        return source instanceof Response response ? response : null;
    }

    /** Number of the last event that was taken. Any thread. */
    int taken() {
        return taken;
    }

    /** Says after which entry to begin, before {@link #follow} is called. On the context of the response. */
    void placeAfter(int number) {
        taken = number;
    }

    /** Follows a response from the entry after {@code from} on. */
    void follow(EventSource toFollow, ResponseLog.Entry from) {
        if (isOver) {
            toFollow.left(this);
            return;
        }
        source = toFollow;
        position = from;
        pump();
    }

    /** Does something on the context of the connection. Any thread. */
    void onContext(Runnable action) {
        if (Thread.currentThread() == thread) {
            action.run();
        } else {
            context.runOnContext(_ -> action.run());
        }
    }

    /** There are new entries. Any thread. */
    void wake() {
        if (Thread.currentThread() == thread) {
            pump();
        } else if (isWoken.compareAndSet(false, true)) {
            context.runOnContext(_ -> pump());
        }
    }

    /** The outlet has room again. */
    void drained() {
        pump();
    }

    /** Tells the client that its request cannot be served. */
    void refuse(ApiError error, long retryAfterSeconds) {
        if (!isOver) {
            finish(() -> outlet.refuse(error, retryAfterSeconds));
        }
    }

    /** The connection is gone. */
    void leave() {
        if (!isOver) {
            isOver = true;
            release();
        }
    }

    private void pump() {
        isWoken.set(false);
        ResponseLog.Entry entry = position;
        if (isOver || entry == null || source == null) {
            return;
        }
        ResponseLog.Entry next = entry.next();
        if (!isOpen && (next != null || entry.number() >= 0)) {
            isOpen = true;
            outlet.open();
        }
        boolean hasMoved = false;
        while (next != null && !outlet.isFull()) {
            entry = next;
            next = entry.next();
            position = entry;
            taken = entry.number();
            hasMoved = true;
            outlet.send(entry.type(), entry.json());
        }
        if (entry.isLast()) {
            finish(outlet::close);
            return;
        }
        if (hasMoved) {
            cancelTimer();
            source.taken();
        }
        if (next != null && stallTimer == NO_TIMER) {
            stallTimer =
                    context.owner().setTimer(services.limits().stallTimeout().toMillis(), _ -> stalled());
        }
    }

    private void stalled() {
        stallTimer = NO_TIMER;
        EventSource slow = source;
        if (isOver || slow == null) {
            return;
        }
        services.metrics().slowConsumer();
        ApiError error = ApiError.refused(
                408,
                "slow_consumer",
                "nothing was read of " + slow.id() + " for "
                        + services.limits().stallTimeout().toSeconds() + " s; read on and resume it after event "
                        + taken);
        finish(() -> outlet.breakOff(error, taken));
    }

    private void finish(Runnable lastWord) {
        isOver = true;
        release();
        lastWord.run();
        whenOver.run();
    }

    private void release() {
        cancelTimer();
        EventSource followed = source;
        if (followed != null) {
            followed.left(this);
            source = null;
            position = null;
        }
    }

    private void cancelTimer() {
        if (stallTimer != NO_TIMER) {
            context.owner().cancelTimer(stallTimer);
            stallTimer = NO_TIMER;
        }
    }
}
