package dev.weir.server;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Looks for bytes that do harm to a server, guided by what of its code they reach. No test of the build, whose other tests would
 * run under the fuzzer's agent; one of the two at a time, {@code frames} or {@code requests}: {@code JAZZER_FUZZ=1 ./mvnw -pl
 * server -am test -Dtest=WireFuzz#frames -Dsurefire.failIfNoSpecifiedTests=false
 * -Djazzer.disabled_hooks=com.code_intelligence.jazzer.sanitizers.ServerSideRequestForgery} (which takes each of the test's own
 * connections for a finding). It goes on until it finds something or for as long as the annotation says; what it found is a file
 * in the resources, of which the next run tries all. {@link WireFuzzTest} says what must hold.
 */
class WireFuzz {
    /** Inputs between two looks at the whole server. */
    private static final int ROUND = 2_000;

    private static FuzzServer server;
    private static FrameProbe frames;
    private static HttpProbe http;
    private static int sent;

    /** Starts the server at the first input: before that, its classes would be loaded without the fuzzer's counters. */
    private static void start() {
        if (server == null) {
            server = new FuzzServer();
            frames = server.frameProbe();
            http = server.httpProbe();
        }
    }

    @AfterAll
    static void stop() {
        if (server != null) {
            look(); // and no close, which would judge how long the fuzzer's own work kept an event loop
        }
    }

    @MethodSource("frameSeeds")
    @FuzzTest(maxDuration = "10m")
    void frames(byte[] data) {
        start();
        frames.send(FrameInputs.of(data));
        lookNowAndThen();
    }

    @MethodSource("requestSeeds")
    @FuzzTest(maxDuration = "10m")
    void requests(byte[] data) {
        start();
        http.send(HttpInputs.of(data));
        lookNowAndThen();
    }

    static Stream<byte[]> frameSeeds() {
        return Stream.concat(
                FrameInputs.seeds().stream().filter(seed -> seed.length < 1_000).map(seed -> marked(0, seed)),
                FuzzSeeds.EVENTS.stream().map(event -> marked(1, event.getBytes(StandardCharsets.UTF_8))));
    }

    static Stream<byte[]> requestSeeds() {
        List<FuzzSeeds.Body> bodies = FuzzSeeds.BODIES;
        return Stream.concat(
                HttpInputs.seeds().stream().map(seed -> marked(0, seed.bytes())),
                IntStream.range(0, bodies.size())
                        .mapToObj(i -> marked(2 * i + 1, bodies.get(i).bytes())));
    }

    private static byte[] marked(int mark, byte[] rest) {
        byte[] all = new byte[rest.length + 1];
        all[0] = (byte) mark;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }

    private static void lookNowAndThen() {
        sent++;
        if (sent % ROUND == 0) {
            look();
        }
    }

    private static void look() {
        frames.close();
        http.close();
        server.check();
    }
}
