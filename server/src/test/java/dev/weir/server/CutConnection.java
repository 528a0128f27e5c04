package dev.weir.server;

import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.RequestWriter;
import dev.weir.protocol.ResponseRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A connection that asks for a response and is reset after so many bytes of the answer, or after all of it. */
final class CutConnection {
    private static final int MASKED = 0x80;
    private static final int RECEIVE_BUFFER_BYTES = 4096;

    private final byte[] received;
    private final Transport transport;

    /** How it asks. */
    enum Transport {
        SERVER_SENT_EVENTS,
        WEB_SOCKET
    }

    CutConnection(int port, Transport transport, ResponseRequest request, int cut) {
        this(port, transport, request, cut, () -> {});
    }

    /** A connection that does something before it reads the answer, for which it has little room meanwhile. */
    CutConnection(int port, Transport transport, ResponseRequest request, int cut, Runnable beforeReading) {
        this.transport = transport;
        try (Socket socket = new Socket()) {
            socket.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout(20_000);
            InputStream in = socket.getInputStream();
            OutputStream out = socket.getOutputStream();
            if (transport == Transport.WEB_SOCKET) {
                out.write(TestServer.HANDSHAKE.getBytes(StandardCharsets.US_ASCII));
                skipHeaders(in);
                send(out, request);
            } else {
                send(out, request);
                skipHeaders(in);
            }
            beforeReading.run();
            received = read(in, cut);
            socket.setSoLinger(true, 0); // a reset, not an orderly end
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Bytes after the headers. */
    int bytes() {
        return received.length;
    }

    /** The events that arrived whole. */
    List<String> events() {
        return events(received);
    }

    private List<String> events(byte[] bytes) {
        return transport == Transport.WEB_SOCKET ? frames(bytes) : data(body(bytes));
    }

    /** The data of a stream of server-sent events, as far as they are whole. */
    static List<String> data(String body) {
        List<String> events = new ArrayList<>();
        int begin = 0;
        for (int end = body.indexOf("\n\n"); end >= 0; end = body.indexOf("\n\n", begin)) {
            String event = body.substring(begin, end);
            events.add(event.substring(event.indexOf("\ndata: ") + "\ndata: ".length()));
            begin = end + 2;
        }
        return events;
    }

    private void send(OutputStream out, ResponseRequest request) throws IOException {
        if (transport == Transport.SERVER_SENT_EVENTS) {
            byte[] body = RequestWriter.response(request).getBytes(StandardCharsets.UTF_8);
            out.write(("POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            out.write(body);
        } else {
            byte[] event = RequestWriter.clientEvent(ClientEvent.Create.of(null, request))
                    .getBytes(StandardCharsets.UTF_8);
            ByteBuffer frame =
                    ByteBuffer.allocate(8 + event.length); // 126 bytes or more, or its length were written otherwise
            frame.put((byte) 0x81).put((byte) (MASKED | 126)).putShort((short) event.length);
            frame.putInt(0).put(event); // a mask of zeros leaves the bytes as they are
            out.write(frame.array());
        }
    }

    private static void skipHeaders(InputStream in) throws IOException {
        int last = 0;
        for (int next = in.read(); next != '\n' || last != '\n'; next = in.read()) {
            if (next < 0) {
                throw new IOException("the server closed the connection");
            }
            last = next == '\r' ? last : next;
        }
    }

    /** Reads so many bytes, or up to the end of the response. */
    private byte[] read(InputStream in, int cut) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[4096];
        while (all.size() < cut && !isWhole(all.toByteArray())) {
            int read = in.read(buffer, 0, Math.min(buffer.length, cut - all.size()));
            if (read < 0) {
                throw new IOException("the server closed the connection");
            }
            all.write(buffer, 0, read);
        }
        return all.toByteArray();
    }

    /** Whether the last event has arrived, to its last byte. */
    private boolean isWhole(byte[] bytes) {
        List<String> events = events(bytes);
        return !events.isEmpty() && TestSocket.isEnd(EventReader.read(events.getLast()));
    }

    /** The body out of its chunks, as far as it came. */
    private static String body(byte[] received) {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        int at = 0;
        while (at < received.length) {
            int line = at;
            while (line + 1 < received.length && received[line + 1] != '\n') {
                line++;
            }
            if (line + 1 >= received.length) {
                break;
            }
            int size = Integer.parseInt(new String(received, at, line - at, StandardCharsets.US_ASCII), 16);
            int begin = line + 2;
            body.write(received, begin, Math.min(size, received.length - begin));
            at = begin + size + 2;
        }
        return body.toString(StandardCharsets.UTF_8);
    }

    private static List<String> frames(byte[] received) {
        List<String> events = new ArrayList<>();
        ByteBuffer bytes = ByteBuffer.wrap(received);
        while (bytes.remaining() >= 4) {
            bytes.get();
            int length = bytes.get();
            length = length == 126 ? Short.toUnsignedInt(bytes.getShort()) : length;
            if (bytes.remaining() < length) {
                break;
            }
            byte[] event = new byte[length];
            bytes.get(event);
            events.add(new String(event, StandardCharsets.UTF_8));
        }
        return events;
    }
}
