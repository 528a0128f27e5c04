package dev.weir.loadtest;

import io.netty.channel.EventLoop;
import io.vertx.core.Context;
import io.vertx.core.internal.ContextInternal;
import java.util.concurrent.TimeUnit;

/**
 * The real clock: System.nanoTime and the timers of one Vert.x event loop. Owner: that event loop. Vert.x's own timers
 * round to milliseconds, which would add half a millisecond to each latency of an open load, so this goes to Netty's,
 * which epoll keeps to microseconds.
 */
final class EventLoopClock implements LoadClock {

    private final ContextInternal context;
    private final EventLoop eventLoop;

    EventLoopClock(Context context) {
        this.context = (ContextInternal) context;
        this.eventLoop = this.context.nettyEventLoop();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public void schedule(long delayNanos, Runnable task) {
        var _ = eventLoop.schedule(() -> context.emit(_ -> task.run()), Math.max(0, delayNanos), TimeUnit.NANOSECONDS);
    }
}
