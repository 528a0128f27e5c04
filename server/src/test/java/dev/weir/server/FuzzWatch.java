package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * What must not happen to a server whatever it is sent: exceptions that nobody catches, errors in the log, threads that die or
 * become more, memory that is not given back. Used by one thread, between inputs.
 */
final class FuzzWatch implements AutoCloseable {
    private static final long SLACK_BYTES = 16 << 20;

    /** Threads that Vert.x, the JDK and the tests start as they need them, up to a limit. */
    private static final Set<String> IN_POOLS = Set.of(
            "vert.x-worker", "vert.x-internal", "HttpClient-", "ForkJoinPool", "pool-", "Attach", "process reaper");

    /**
     * Vert.x 5.2 asks a stream that it has not got to hear of an HTTP/2 connection that broke while the stream was being reset;
     * the connection is closed all the same.
     */
    private static final String KNOWN = "Http2ConnectionImpl.onConnectionError";

    private static final Pattern SURPRISE = Pattern.compile("\n\tat |LEAK|(?i:unhandled)");

    /** Threads that a server has for all its life. */
    private static final Pattern SERVERS = Pattern.compile("eventloop|weir");

    private final Queue<String> faults = new ConcurrentLinkedQueue<>();
    private final Thread.@Nullable UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
    private final Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            logged(event);
        }
    };

    private @Nullable Marks first;

    private record Marks(Set<String> threads, long heap, long direct) {}

    FuzzWatch() {
        Thread.setDefaultUncaughtExceptionHandler(
                (thread, cause) -> faults.add(thread.getName() + " died of " + cause));
        appender.start();
        root.addAppender(appender);
    }

    /** Libraries may log what a client did wrong, but not their surprise. */
    private void logged(ILoggingEvent event) {
        String trace = ThrowableProxyUtil.asString(event.getThrowableProxy());
        boolean isFault = event.getLoggerName().startsWith("io.")
                ? SURPRISE.matcher(event.getFormattedMessage() + trace).find() && !trace.contains(KNOWN)
                : event.getLevel().isGreaterOrEqual(Level.ERROR);
        if (isFault && event.getLevel().isGreaterOrEqual(Level.WARN)) {
            faults.add(event.getLoggerName() + " logged " + event.getFormattedMessage() + "\n" + trace);
        }
    }

    /** Sees that nothing was thrown or logged so far. */
    void check() {
        assertThat(faults).isEmpty();
    }

    /** Sees that there are no threads but those of the first call, the server's still among them, and that the memory in use is no more than then, but for some slack. */
    void compare() {
        Marks now = new Marks(threads(), heapBytes(), directBytes());
        if (first == null) {
            first = now;
        }
        assertThat(first.threads()).as("threads of the beginning").containsAll(now.threads());
        assertThat(now.threads())
                .as("threads of now")
                .containsAll(first.threads().stream()
                        .filter(name -> SERVERS.matcher(name).find())
                        .toList());
        assertThat(now.heap()).as("bytes of heap").isLessThan(first.heap() + SLACK_BYTES);
        assertThat(now.direct()).as("bytes outside the heap").isLessThan(first.direct() + SLACK_BYTES);
    }

    /** For a line of output. */
    String memory() {
        return "heap " + heapBytes() / 1024 + " KiB, direct " + directBytes() / 1024 + " KiB, threads "
                + Thread.getAllStackTraces().size();
    }

    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> IN_POOLS.stream().noneMatch(thread.getName()::startsWith))
                .map(thread -> thread.threadId() + " " + thread.getName())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static long heapBytes() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 3; i++) {
            System.gc();
            least = Math.min(
                    least,
                    ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
        }
        return least;
    }

    private static long directBytes() {
        return PlatformDependent.usedDirectMemory()
                + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                        .filter(pool -> pool.getName().equals("direct"))
                        .mapToLong(BufferPoolMXBean::getMemoryUsed)
                        .sum();
    }

    @Override
    public void close() {
        root.detachAppender(appender);
        Thread.setDefaultUncaughtExceptionHandler(before);
    }
}
