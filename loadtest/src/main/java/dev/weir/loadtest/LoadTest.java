package dev.weir.loadtest;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpClientAgent;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketClientOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A load test against a server: one event loop with epoll that owns every connection, user and histogram of the run.
 * Owner: the thread that calls {@link #run}, which blocks until the run is over; {@link #stop} may come from any.
 */
final class LoadTest {

    /** Large enough for the final event of a long answer, which repeats its text. */
    private static final int MAX_FRAME_BYTES = 64 << 20;

    private final Target target;
    private final String description;
    private final LoadShape shape;
    private final LoadRun.Limits limits;
    private final LongFunction<String> bodies;
    private final @Nullable Writer raw;
    private final @Nullable PrintWriter progress;

    private final CompletableFuture<Report> result = new CompletableFuture<>();
    private final CompletableFuture<Runnable> stopper = new CompletableFuture<>();

    // Of the event loop.
    private final LatencyRecorder recorder = new LatencyRecorder();
    private final CpuMeter cpu = new CpuMeter();
    private @Nullable ProgressLine progressLine;

    /**
     * @param description the target in words, for the report
     * @param raw takes one line per request; null = nobody wants them
     * @param progress a terminal that shows how the run fares; null = none
     */
    LoadTest(
            Target target,
            String description,
            LoadShape shape,
            LoadRun.Limits limits,
            LongFunction<String> bodies,
            @Nullable Writer raw,
            @Nullable PrintWriter progress) {
        this.target = target;
        this.description = description;
        this.shape = shape;
        this.limits = limits;
        this.bodies = bodies;
        this.raw = raw;
        this.progress = progress;
    }

    /** Runs the load and returns its report. */
    Report run() throws InterruptedException {
        Vertx vertx = Vertx.vertx(new VertxOptions()
                .setPreferNativeTransport(true)
                .setEventLoopPoolSize(1)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(1)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
        try {
            Context context = vertx.getOrCreateContext();
            context.exceptionHandler(result::completeExceptionally);
            context.runOnContext(_ -> begin(vertx, context));
            return result.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("the load tester broke", e.getCause());
        } finally {
            vertx.close().await();
        }
    }

    /** Ends the run early; its report covers what there was. */
    void stop() {
        var _ = stopper.thenAccept(Runnable::run);
    }

    private void begin(Vertx vertx, Context context) {
        EventLoopClock clock = new EventLoopClock(context);
        RawLog rawLog = raw == null ? null : openRawLog(raw, clock);
        BiConsumer<RequestTrace, Outcome> atEnd = rawLog == null ? (_, _) -> {} : rawLog::add;
        LoadRun run = new LoadRun(
                clock, shape, limits, clients(vertx, clock), bodies, recorder, atEnd, new Turns(clock, rawLog));
        run.start();
        if (progress != null) {
            progressLine = new ProgressLine(progress, run, recorder);
            progressLine.start();
        }
        stopper.complete(() -> context.runOnContext(_ -> run.stop()));
    }

    private static RawLog openRawLog(Writer raw, LoadClock clock) {
        try {
            return new RawLog(raw, clock.nanoTime());
        } catch (IOException e) {
            throw RawLog.failed(e);
        }
    }

    private Supplier<GenerationClient> clients(Vertx vertx, LoadClock clock) {
        return switch (target.transport()) {
            case WS -> {
                WebSocketClient webSockets = vertx.createWebSocketClient(new WebSocketClientOptions()
                        .setMaxConnections(shape.maxInFlight())
                        .setMaxFrameSize(MAX_FRAME_BYTES)
                        .setMaxMessageSize(MAX_FRAME_BYTES));
                yield () -> new ResponsesSocketClient(webSockets, target, clock);
            }
            case SSE -> {
                HttpClientAgent http =
                        vertx.createHttpClient(new HttpClientOptions(), new PoolOptions().setHttp1MaxSize(1));
                yield () -> new SseClient(http, target, clock);
            }
        };
    }

    /** What happens at the turning points of the run, on the event loop. */
    private final class Turns implements LoadRun.Observer {

        private final LoadClock clock;
        private final @Nullable RawLog rawLog;

        Turns(LoadClock clock, @Nullable RawLog rawLog) {
            this.clock = clock;
            this.rawLog = rawLog;
        }

        @Override
        public void windowOpened() {
            cpu.start();
        }

        @Override
        public void windowClosed() {
            cpu.stop();
        }

        @Override
        public void finished() {
            if (rawLog != null) {
                rawLog.close();
            }
            if (progressLine != null) {
                progressLine.clear();
            }
            result.complete(Report.of(
                    description,
                    shape.describe(),
                    shape.ramp().plus(limits.warmUp()),
                    recorder.windowNanos(clock.nanoTime()),
                    recorder,
                    cpu.cost(recorder.liveDeltas())));
        }
    }
}
