package dev.weir.server;

import static dev.weir.server.RawWebSocket.CLOSE;
import static dev.weir.server.RawWebSocket.CONTINUATION;
import static dev.weir.server.RawWebSocket.FIN;
import static dev.weir.server.RawWebSocket.PING;
import static dev.weir.server.RawWebSocket.PONG;
import static dev.weir.server.RawWebSocket.TEXT;

import dev.weir.protocol.EventReader;
import dev.weir.protocol.ServerEvent;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends bytes to a WebSocket after its handshake and sees that the server goes on with it or closes it: behind each input comes
 * a ping, and before its pong there may only be events and other control frames. A socket that is still good is used for the
 * next input. Used by one thread.
 */
final class FrameProbe implements AutoCloseable {
    /** What the head of a frame is complete with. */
    private static final int MOST_HEAD_BYTES = 14;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final int port;
    private @Nullable RawWebSocket socket;
    private long sent;

    /** The pieces of an event that the server has not sent all of. */
    private final ByteArrayOutputStream event = new ByteArrayOutputStream();

    FrameProbe(int port) {
        this.port = port;
    }

    /**
     * Sends an input and waits for what the server makes of it.
     *
     * @return whether the socket is still good
     * @throws AssertionError if the server says what it never should, or nothing
     */
    boolean send(byte[] bytes) {
        RawWebSocket open = socket == null ? RawWebSocket.open(port) : socket;
        socket = open;
        byte[] question = ByteBuffer.allocate(Long.BYTES).putLong(sent++).array();
        long missing = FrameInputs.missing(bytes);
        try {
            open.write(
                    isBounded(missing)
                            ? withPing(bytes, (int) missing, question)
                            : Arrays.copyOf(bytes, bytes.length + MOST_HEAD_BYTES));
        } catch (UncheckedIOException _) {
            // The server has closed the connection already, and what it said before can be read.
        }
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        RawWebSocket.Frame frame = read(open);
        while (frame != null && frame.opcode() != CLOSE) {
            if (frame.opcode() == PONG && Arrays.equals(frame.payload(), question)) {
                return true;
            }
            check(frame);
            if (System.nanoTime() > deadline) {
                throw new AssertionError("other frames, but neither a pong nor a close");
            }
            frame = read(open);
        }
        hangUp(open);
        return false;
    }

    /** Whether the server has to wait for the rest of a frame; else it is too large. */
    private static boolean isBounded(long missing) {
        return missing >= 0 && missing <= FuzzServer.MESSAGE_BYTES + MOST_HEAD_BYTES;
    }

    private static byte[] withPing(byte[] bytes, int missing, byte[] payload) {
        byte[] ping = RawWebSocket.frame(FIN | PING, payload);
        byte[] all = Arrays.copyOf(bytes, bytes.length + missing + ping.length);
        System.arraycopy(ping, 0, all, bytes.length + missing, ping.length);
        return all;
    }

    private static RawWebSocket.@Nullable Frame read(RawWebSocket open) {
        try {
            return open.read();
        } catch (UncheckedIOException e) {
            throw new AssertionError("neither an answer nor a close", e);
        }
    }

    private void check(RawWebSocket.Frame frame) {
        switch (frame.opcode()) {
            case TEXT, CONTINUATION -> {
                event.writeBytes(frame.payload());
                if (frame.isFinal()) {
                    check(event.toString(StandardCharsets.UTF_8));
                    event.reset();
                }
            }
            case PING, PONG -> {}
            default -> throw new AssertionError("a frame of the server's with opcode " + frame.opcode());
        }
    }

    private static void check(String json) {
        ServerEvent event = EventReader.read(json).event();
        if (event instanceof ServerEvent.Failed
                || (event instanceof ServerEvent.Refused refused
                        && refused.error().status() == 500)) {
            throw new AssertionError("the server failed: " + json);
        }
    }

    /** Every other time without a word, as connections break. */
    private void hangUp(RawWebSocket open) {
        event.reset();
        socket = null;
        if (sent % 2 == 0) {
            open.breakOff();
        } else {
            open.close();
        }
    }

    @Override
    public void close() {
        if (socket != null) {
            hangUp(socket);
        }
    }
}
