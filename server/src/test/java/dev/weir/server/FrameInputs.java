package dev.weir.server;

import static dev.weir.server.RawWebSocket.BINARY;
import static dev.weir.server.RawWebSocket.CLOSE;
import static dev.weir.server.RawWebSocket.CONTINUATION;
import static dev.weir.server.RawWebSocket.FIN;
import static dev.weir.server.RawWebSocket.PING;
import static dev.weir.server.RawWebSocket.PONG;
import static dev.weir.server.RawWebSocket.TEXT;
import static dev.weir.server.RawWebSocket.closing;
import static dev.weir.server.RawWebSocket.frame;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Bytes for a WebSocket after its handshake: frames of client events, changed in their JSON, in their frames or as bytes. */
final class FrameInputs {
    private static final byte[] PING_PAYLOAD = {'n', 'o', 'w'};

    private FrameInputs() {}

    /** Frames that nothing was changed of yet, some of them against the protocol. */
    static List<byte[]> seeds() {
        return Stream.concat(
                        FuzzSeeds.EVENTS.stream().map(event -> frame(FIN | TEXT, bytes(event))),
                        Stream.of(
                                fragments(bytes(FuzzSeeds.EVENTS.getFirst()), 9, true),
                                frame(FIN | BINARY, bytes(FuzzSeeds.EVENTS.getFirst())),
                                frame(FIN | PING, PING_PAYLOAD),
                                frame(FIN | PONG),
                                frame(FIN | CLOSE),
                                frame(FIN | CLOSE, closing(1000, "bye")),
                                frame(CONTINUATION, PING_PAYLOAD),
                                frame(FIN | TEXT, new byte[126]),
                                frame(FIN | TEXT, new byte[FuzzServer.MESSAGE_BYTES + 1]),
                                new byte[] {(byte) (FIN | TEXT), (byte) 0xFF, 0x7F, -1, -1, -1, -1, -1, -1, -1},
                                new byte[] {(byte) (FIN | TEXT), (byte) 0xFE, 0x3F, -1, -1, -1
                                }, // all but the largest text
                                new byte[] {(byte) (FIN | TEXT), 2, '{', '}'}))
                .toList();
    }

    /** One input, which depends on the random numbers only. */
    static byte[] next(Random random) {
        ByteMutator mutator = new ByteMutator(random);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int left = random.nextInt(8) == 0 ? 3 : 1; left > 0; left--) {
            all.writeBytes(random.nextInt(6) == 0 ? seed(random) : message(random, mutator));
        }
        return random.nextInt(3) == 0 ? mutator.mutate(all.toByteArray()) : all.toByteArray();
    }

    /** What a fuzzer's bytes stand for: the first says whether the others are frames or the text of a message. */
    static byte[] of(byte[] data) {
        byte[] rest = data.length == 0 ? data : Arrays.copyOfRange(data, 1, data.length);
        return data.length == 0 || data[0] % 2 == 0 ? rest : frame(FIN | TEXT, rest);
    }

    private static byte[] message(Random random, ByteMutator mutator) {
        byte[] text = bytes(FuzzSeeds.EVENTS.get(random.nextInt(FuzzSeeds.EVENTS.size())));
        byte[] payload = random.nextInt(8) == 0 ? text : mutator.mutate(text);
        int first = random.nextInt(16) == 0 ? random.nextInt(256) : FIN | TEXT;
        return random.nextInt(8) == 0
                ? fragments(payload, random.nextInt(payload.length + 1), random.nextBoolean())
                : frame(first, payload);
    }

    private static byte[] fragments(byte[] payload, int cut, boolean isInterrupted) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(frame(TEXT, Arrays.copyOf(payload, cut)));
        if (isInterrupted) {
            all.writeBytes(frame(FIN | PING, PING_PAYLOAD));
        }
        all.writeBytes(frame(FIN | CONTINUATION, Arrays.copyOfRange(payload, cut, payload.length)));
        return all.toByteArray();
    }

    private static byte[] seed(Random random) {
        List<byte[]> seeds = seeds();
        return seeds.get(random.nextInt(seeds.size()));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Bytes that come before the end of the last frame, as its head says and with zeros for what is missing of that; a negative
     * number if it says one.
     */
    static long missing(byte[] bytes) {
        long at = 0;
        while (at >= 0 && at < bytes.length) {
            int length = at(bytes, at + 1) & 0x7F;
            int lengthBytes = length == 126 ? 2 : length == 127 ? 8 : 0;
            boolean isMasked = (at(bytes, at + 1) & RawWebSocket.MASKED) != 0;
            long payload = lengthBytes == 0 ? length : 0;
            for (int i = 0; i < lengthBytes; i++) {
                payload = payload << 8 | at(bytes, at + 2 + i);
            }
            if (payload < 0) {
                return payload;
            }
            at += 2 + lengthBytes + (isMasked ? 4 : 0) + payload;
        }
        return at < 0 ? at : at - bytes.length;
    }

    private static int at(byte[] bytes, long index) {
        return index < bytes.length ? bytes[(int) index] & 0xFF : 0;
    }
}
