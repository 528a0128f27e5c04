package dev.weir.server;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.vertx.core.VertxOptions;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.LoggerFactory;

/**
 * Fails a test if Vert.x warns of a blocked event loop. A thread that merely got no processor is not blocked: a warning counts
 * if the thread waits for something, or if it has itself computed for the whole of the limit.
 */
final class EventLoopWatch implements AutoCloseable {
    private static final long LIMIT_MILLIS = 100;
    private static final long CPU_LIMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

    /** Who holds a lock that an event loop wants may itself have got no processor. */
    private static final long LOCK_LIMIT_MILLIS = 1000;

    private static final long SAMPLE_MILLIS = 20;
    private static final int SAMPLES = 512;
    private static final Pattern WARNING = Pattern.compile("Thread (\\S+) has been blocked for (\\d+) ms");

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private final ScheduledExecutorService sampler = Executors.newSingleThreadScheduledExecutor();
    private final Map<Thread, Deque<Sample>> history = new ConcurrentHashMap<>();
    private final Queue<String> violations = new ConcurrentLinkedQueue<>();
    private final Logger checker = (Logger) LoggerFactory.getLogger("io.vertx.core.impl.BlockedThreadChecker");
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            warned(event.getFormattedMessage());
        }
    };

    private record Sample(long nanos, long cpuNanos) {}

    EventLoopWatch() {
        appender.start();
        checker.addAppender(appender);
        checker.setAdditive(false); // what is no violation is nothing to read about
        var _ = sampler.scheduleAtFixedRate(this::sample, 0, SAMPLE_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Options under which Vert.x warns early. */
    VertxOptions options() {
        return new VertxOptions()
                .setMaxEventLoopExecuteTime(LIMIT_MILLIS)
                .setMaxEventLoopExecuteTimeUnit(TimeUnit.MILLISECONDS)
                .setBlockedThreadCheckInterval(SAMPLE_MILLIS);
    }

    private void sample() {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().contains("eventloop")) {
                Deque<Sample> samples = history.computeIfAbsent(thread, _ -> new ArrayDeque<>());
                synchronized (samples) {
                    samples.addLast(new Sample(System.nanoTime(), threads.getThreadCpuTime(thread.threadId())));
                    if (samples.size() > SAMPLES) {
                        samples.removeFirst();
                    }
                }
            }
        }
    }

    private void warned(String message) {
        Matcher warning = WARNING.matcher(message);
        if (!warning.find()) {
            return;
        }
        long blockedMillis = Long.parseLong(warning.group(2));
        for (Map.Entry<Thread, Deque<Sample>> entry : history.entrySet()) {
            Thread thread = entry.getKey();
            if (thread.getName().equals(warning.group(1)) && thread.isAlive()) {
                Thread.State state = thread.getState();
                StackTraceElement[] frames = thread.getStackTrace();
                long cpuNanos = cpuNanos(thread, entry.getValue(), blockedMillis);
                boolean waits = switch (state) {
                    case WAITING, TIMED_WAITING -> !startsThread(frames);
                    case BLOCKED -> blockedMillis > LOCK_LIMIT_MILLIS;
                    case NEW, RUNNABLE, TERMINATED -> false;
                };
                if (waits || cpuNanos > CPU_LIMIT_NANOS) {
                    StringBuilder text = new StringBuilder(
                            message + "; it is " + state + " and computed for " + cpuNanos / 1_000_000 + " ms");
                    for (StackTraceElement frame : frames) {
                        text.append("\n    at ").append(frame);
                    }
                    violations.add(text.toString());
                }
            }
        }
    }

    /** Whether a thread waits for one that it has started: for the processor, that is. */
    private static boolean startsThread(StackTraceElement[] frames) {
        return frames.length > 0 && frames[0].getMethodName().equals("start0");
    }

    /** Processor time that a thread has had since it began its task. */
    private long cpuNanos(Thread thread, Deque<Sample> samples, long blockedMillis) {
        long since = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(blockedMillis);
        long now = threads.getThreadCpuTime(thread.threadId());
        synchronized (samples) {
            for (Sample sample : samples) {
                if (sample.nanos() >= since) {
                    return now - sample.cpuNanos();
                }
            }
        }
        return 0;
    }

    @Override
    public void close() {
        sampler.shutdownNow();
        checker.detachAppender(appender);
        if (!violations.isEmpty()) {
            throw new AssertionError("an event loop was blocked: " + violations);
        }
    }
}
