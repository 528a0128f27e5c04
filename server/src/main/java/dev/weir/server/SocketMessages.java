package dev.weir.server;

import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.WebSocketFrame;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Puts the frames of one WebSocket together to messages. Vert.x would do so too, but puts replacement characters where a text
 * is no UTF-8, for which RFC 6455 (8.1) wants the connection to fail. Owned by the socket's context.
 */
final class SocketMessages {
    private final int mostBytes;
    private final Consumer<String> text;
    private final Consumer<Buffer> binary;
    private final Consumer<WebSocketCloseStatus> broken;

    private Buffer message = Buffer.buffer();
    private boolean isText;
    private boolean isOver;

    /**
     * Messages to come.
     *
     * @param mostBytes of a message
     * @param broken hears, once, why there will be no more of them
     */
    SocketMessages(
            int mostBytes, Consumer<String> text, Consumer<Buffer> binary, Consumer<WebSocketCloseStatus> broken) {
        this.mostBytes = mostBytes;
        this.text = text;
        this.binary = binary;
        this.broken = broken;
    }

    /** Takes the next frame of data, in order. */
    void frame(WebSocketFrame frame) {
        boolean isBeginning = frame.isText() || frame.isBinary();
        if (isOver || (!isBeginning && !frame.isContinuation())) {
            return;
        }
        if (isBeginning) {
            isText = frame.isText();
        }
        Buffer data = frame.binaryData();
        if (message.length() + data.length() > mostBytes) {
            fail(WebSocketCloseStatus.MESSAGE_TOO_BIG);
            return;
        }
        if (isBeginning && frame.isFinal()) {
            deliver(data);
            return;
        }
        message.appendBuffer(data);
        if (frame.isFinal()) {
            Buffer whole = message;
            message = Buffer.buffer();
            deliver(whole);
        }
    }

    private void deliver(Buffer whole) {
        if (!isText) {
            binary.accept(whole);
            return;
        }
        String decoded;
        try {
            decoded = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(whole.getBytes()))
                    .toString();
        } catch (CharacterCodingException _) {
            fail(WebSocketCloseStatus.INVALID_PAYLOAD_DATA);
            return;
        }
        text.accept(decoded);
    }

    private void fail(WebSocketCloseStatus status) {
        isOver = true;
        message = Buffer.buffer();
        broken.accept(status);
    }
}
