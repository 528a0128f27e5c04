package dev.weir.server;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Whatever bytes come over a connection, as HTTP or as the frames of a WebSocket, they are answered, refused or end the
 * connection, and the server is none the worse for them. The build tries the seeds and some thousand changes of them; to try
 * more, of each of the two kinds: {@code JAVA_TOOL_OPTIONS=-XX:SoftRefLRUPolicyMSPerMB=0 ./mvnw -pl server -am test
 * -Dtest=WireFuzzTest -Dsurefire.failIfNoSpecifiedTests=false -Dtests.fuzz=500000} (the JDK remembers, softly, each name of a
 * file that it did not find). {@link WireFuzz} looks for more guided by coverage.
 *
 * <p>What fails says its number; the same {@code -Dtests.seed} makes the same inputs.
 */
final class WireFuzzTest {
    private static final long INPUTS = Long.getLong("tests.fuzz", 2_000);
    private static final long SEED = Long.getLong("tests.seed", 1);
    private static final int THREADS = 2;

    /** Inputs between two looks at the whole server. */
    private static final long ROUND = Math.clamp(INPUTS / 4, 500, 5_000);

    /** Rounds before memory is compared: until then caches and pools fill, and code is compiled. */
    private static final long WARM_UP = Math.max(1, INPUTS / ROUND / 10);

    private static final int SHOWN = 4_000;

    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    private final AtomicLong kept = new AtomicLong();
    private FuzzServer server;

    /**
     * One connection after the other.
     *
     * @param next sends what random numbers make; whether the connection was kept
     */
    private record Client(AutoCloseable probe, Predicate<Random> next) {}

    @BeforeEach
    void start() {
        server = new FuzzServer();
    }

    @AfterEach
    void stop() {
        threads.shutdownNow();
        server.close();
    }

    @Test
    void seedsAreAnsweredOrRefused() {
        try (FrameProbe frames = server.frameProbe();
                HttpProbe http = server.httpProbe()) {
            FrameInputs.seeds().forEach(bytes -> trying(bytes, () -> frames.send(bytes)));
            HttpInputs.seeds().forEach(input -> trying(input.bytes(), () -> http.send(input)));
        }
        server.check();
    }

    @Test
    void changedFramesAreAnsweredOrRefused() {
        run("frames", () -> {
            FrameProbe probe = server.frameProbe();
            return new Client(probe, random -> {
                byte[] bytes = FrameInputs.next(random);
                return trying(bytes, () -> probe.send(bytes));
            });
        });
    }

    @Test
    void changedRequestsAreAnsweredOrRefused() {
        run("requests", () -> {
            HttpProbe probe = server.httpProbe();
            return new Client(probe, random -> {
                HttpInputs.Input input = HttpInputs.next(random);
                return trying(input.bytes(), () -> probe.send(input));
            });
        });
    }

    private void run(String what, Supplier<Client> clients) {
        long startNanos = System.nanoTime();
        for (long from = 0; from < INPUTS; from += ROUND) {
            long first = from;
            long end = Math.min(INPUTS, from + ROUND);
            CompletableFuture.allOf(IntStream.range(0, THREADS)
                            .mapToObj(thread ->
                                    CompletableFuture.runAsync(() -> send(clients.get(), first + thread, end), threads))
                            .toArray(CompletableFuture[]::new))
                    .join();
            server.check();
            if (INPUTS > ROUND * 4) {
                System.out.printf(
                        Locale.ROOT,
                        "%d %s in %d s, connection kept by %d; %s%n",
                        end,
                        what,
                        (System.nanoTime() - startNanos) / 1_000_000_000,
                        kept.get(),
                        server.memory());
            }
            if (from / ROUND >= WARM_UP) {
                server.compare();
            }
        }
    }

    private void send(Client client, long from, long end) {
        try (AutoCloseable _ = client.probe()) {
            for (long number = from; number < end; number += THREADS) {
                long seed = SEED * 1_000_000_007 + number;
                try {
                    kept.addAndGet(client.next().test(new Random(seed)) ? 1 : 0);
                } catch (AssertionError | RuntimeException e) {
                    throw new AssertionError("input " + number + " of -Dtests.seed=" + SEED, e);
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Names the bytes if they do harm. */
    private static boolean trying(byte[] bytes, BooleanSupplier send) {
        try {
            return send.getAsBoolean();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    bytes.length + " bytes: "
                            + new String(
                                    Arrays.copyOf(bytes, Math.min(bytes.length, SHOWN)), StandardCharsets.ISO_8859_1),
                    e);
        }
    }
}
