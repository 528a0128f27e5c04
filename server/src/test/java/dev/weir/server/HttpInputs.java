package dev.weir.server;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Bytes for a connection that has just been made: requests, changed in their JSON, in their paths and heads, or as bytes. */
final class HttpInputs {
    private static final byte[] HTTP2 =
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" // RFC 9113, 3.4, and 4.1: settings, a GET of /
                            + "\0\0\0\4\0\0\0\0\0"
                            + "\0\0\5\1\5\0\0\0\1\u0082\u0084\u0086A\0"
                            + "\0\0\4\10\0\0\0\0\0\0\0\1\0")
                    .getBytes(StandardCharsets.ISO_8859_1);

    /**
     * Some bytes.
     *
     * @param isWhole whether they are requests from the first to the last, so that another one may follow
     */
    @SuppressWarnings("ArrayRecordComponent") // sent once, never compared
    record Input(byte[] bytes, boolean isWhole) {}

    private HttpInputs() {}

    /** Requests that nothing was changed of yet. */
    static List<Input> seeds() {
        return Stream.of(
                        FuzzSeeds.BODIES.stream().map(body -> post(body.path(), body.bytes())),
                        FuzzSeeds.BODIES.stream().map(body -> chunked(body.path(), body.bytes(), 7)),
                        FuzzSeeds.PATHS.stream().map(path -> new Input(get(path), true)),
                        Stream.of(
                                new Input(TestServer.HANDSHAKE.getBytes(StandardCharsets.US_ASCII), false),
                                new Input(HTTP2, false)))
                .flatMap(inputs -> inputs)
                .toList();
    }

    /** One input, which depends on the random numbers only. */
    static Input next(Random random) {
        ByteMutator mutator = new ByteMutator(random);
        Input whole =
                random.nextInt(3) == 0 ? seeds().get(random.nextInt(seeds().size())) : changedInside(random, mutator);
        return random.nextInt(3) == 0 ? new Input(mutator.mutate(whole.bytes()), false) : whole;
    }

    /** What a fuzzer's bytes stand for: the first says whether the others are all that is sent, or else what they are the body of. */
    static Input of(byte[] data) {
        byte[] rest = data.length == 0 ? data : Arrays.copyOfRange(data, 1, data.length);
        if (data.length == 0 || data[0] % 2 == 0) {
            return new Input(rest, false);
        }
        return post(
                FuzzSeeds.BODIES
                        .get(Byte.toUnsignedInt(data[0]) / 2 % FuzzSeeds.BODIES.size())
                        .path(),
                rest);
    }

    private static Input changedInside(Random random, ByteMutator mutator) {
        FuzzSeeds.Body seed = FuzzSeeds.BODIES.get(random.nextInt(FuzzSeeds.BODIES.size()));
        String path = seed.path();
        byte[] body = mutator.mutate(seed.bytes());
        return switch (random.nextInt(5)) {
            case 0 -> chunked(path, body, 1 + random.nextInt(body.length + 1));
            case 1 -> {
                String from = FuzzSeeds.PATHS.get(random.nextInt(FuzzSeeds.PATHS.size()));
                yield new Input(get(latin(mutator.mutate(from.getBytes(StandardCharsets.ISO_8859_1)))), false);
            }
            case 2 -> {
                byte[] head = mutator.mutate("Content-Type: application/json\r\n".getBytes(StandardCharsets.US_ASCII));
                String length = "Content-Length: " + body.length + "\r\n";
                yield new Input(
                        bytes("POST " + path + " HTTP/1.1\r\nHost: x\r\n" + latin(head) + length + "\r\n", body),
                        false);
            }
            default -> post(path, body);
        };
    }

    private static Input post(String path, byte[] body) {
        String head = "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n";
        return new Input(bytes(head, body), true);
    }

    private static Input chunked(String path, byte[] body, int chunk) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(
                bytes("POST " + path + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", new byte[0]));
        for (int at = 0; at < body.length; at += chunk) {
            byte[] part = Arrays.copyOfRange(body, at, Math.min(body.length, at + chunk));
            all.writeBytes(bytes(Integer.toHexString(part.length) + "\r\n", part));
            all.writeBytes(bytes("\r\n", new byte[0]));
        }
        all.writeBytes(bytes("0\r\n\r\n", new byte[0]));
        return new Input(all.toByteArray(), true);
    }

    /** A request without a body. */
    static byte[] get(String path) {
        return bytes("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", new byte[0]);
    }

    private static byte[] bytes(String head, byte[] body) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(head.getBytes(StandardCharsets.ISO_8859_1));
        all.writeBytes(body);
        return all.toByteArray();
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
