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
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The server's side of the WebSocket protocol, frame by frame; the numbers are RFC 6455's sections. */
@Timeout(60)
class Rfc6455Test {
    private static final int RESERVED = 0x40;
    private static final String CREATE =
            "{\"type\": \"response.create\", \"model\": \"fake\", \"input\": \"ä\", \"max_output_tokens\": 2}";
    private static final byte[] CREATE_BYTES = CREATE.getBytes(StandardCharsets.UTF_8);
    /** Within the two bytes of the ä. */
    private static final int WITHIN_A_CHARACTER = CREATE.indexOf('ä') + 1;

    private static final int PROTOCOL_ERROR = 1002;
    private static final int INVALID_PAYLOAD = 1007;
    private static final int TOO_BIG = 1009;

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static RawWebSocket open() {
        return RawWebSocket.open(server.server.port());
    }

    /** Reads the events of a response up to its end. */
    private static void assertAnswered(RawWebSocket socket) {
        String event;
        do {
            RawWebSocket.Frame frame = socket.next();
            assertThat(frame.opcode()).as(frame.text()).isEqualTo(TEXT);
            event = frame.text();
            assertThat(event).doesNotContain("\"type\":\"error\"");
        } while (!event.contains("\"type\":\"response.completed\"")
                && !event.contains("\"type\":\"response.incomplete\""));
    }

    private static byte[] bytes(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] part(int from, int to) {
        return Arrays.copyOfRange(CREATE_BYTES, from, to);
    }

    // ---- 4.2 Handshake

    @Test
    void handshakeIsAnsweredWithTheKeysHash() { // 1.3
        try (RawWebSocket socket = RawWebSocket.connect(server.server.port())) {
            socket.write(TestServer.HANDSHAKE.getBytes(StandardCharsets.US_ASCII));
            String head = socket.readHead().toLowerCase(Locale.ROOT);
            assertThat(head)
                    .startsWith("http/1.1 101 ")
                    .contains("upgrade: websocket")
                    .contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=")
                    .doesNotContain("sec-websocket-extensions");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"})
    void handshakeWithoutAHeaderIsRefused(String header) { // 4.2.1, 4.4
        try (RawWebSocket socket = RawWebSocket.connect(server.server.port())) {
            socket.write(TestServer.HANDSHAKE.replace(header + "\r\n", "").getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.readHead()).startsWith("HTTP/1.1 4");
        }
    }

    @Test
    void handshakeOfAnotherVersionLearnsTheVersionThatIsSpoken() { // 4.4
        try (RawWebSocket socket = RawWebSocket.connect(server.server.port())) {
            socket.write(
                    TestServer.HANDSHAKE.replace("Version: 13", "Version: 12").getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.readHead().toLowerCase(Locale.ROOT))
                    .startsWith("http/1.1 426 ")
                    .contains("sec-websocket-version: 13");
        }
    }

    // ---- 5.4 Fragmentation

    @Test
    void fragmentsAreOneMessageWhereverTheyAreCut() {
        for (int cut = 1; cut < CREATE_BYTES.length; cut += 7) {
            try (RawWebSocket socket = open()) {
                socket.write(
                        bytes(frame(TEXT, part(0, cut)), frame(FIN | CONTINUATION, part(cut, CREATE_BYTES.length))));
                assertAnswered(socket);
            }
        }
    }

    @Test
    void aCharacterMayBeCutByFragments() { // 5.6
        try (RawWebSocket socket = open()) {
            socket.write(bytes(
                    frame(TEXT, part(0, WITHIN_A_CHARACTER)),
                    frame(CONTINUATION),
                    frame(FIN | CONTINUATION, part(WITHIN_A_CHARACTER, CREATE_BYTES.length))));
            assertAnswered(socket);
        }
    }

    @Test
    void controlFramesBetweenFragmentsAreAnsweredAtOnce() { // 5.4, 5.5.3
        try (RawWebSocket socket = open()) {
            socket.write(bytes(frame(TEXT, part(0, 9)), frame(FIN | PING, "now".getBytes(StandardCharsets.UTF_8))));
            RawWebSocket.Frame pong = socket.next();
            assertThat(pong.opcode()).isEqualTo(PONG);
            assertThat(pong.text()).isEqualTo("now");
            socket.write(frame(FIN | CONTINUATION, part(9, CREATE_BYTES.length)));
            assertAnswered(socket);
        }
    }

    @Test
    void aPongThatNobodyAskedForIsIgnored() { // 5.5.3
        try (RawWebSocket socket = open()) {
            socket.write(bytes(frame(FIN | PONG, new byte[] {1, 2, 3}), frame(FIN | TEXT, CREATE_BYTES)));
            assertAnswered(socket);
        }
    }

    @Test
    void everyFormOfALengthIsRead() { // 5.2
        for (int length : new int[] {CREATE_BYTES.length, 125, 126, 127, 65_535, 65_536}) {
            try (RawWebSocket socket = open()) {
                socket.text(CREATE + " ".repeat(length - Math.min(length, CREATE_BYTES.length)));
                assertAnswered(socket);
            }
        }
    }

    // ---- What fails the connection

    static Stream<Arguments> brokenFrames() {
        byte[] halfCharacter = {(byte) 0xC3};
        return Stream.of(
                Arguments.of(
                        "5.1 a frame without a mask", PROTOCOL_ERROR, new byte[] {(byte) (FIN | TEXT), 2, '{', '}'}),
                Arguments.of("5.2 a reserved bit", PROTOCOL_ERROR, frame(FIN | RESERVED | TEXT, CREATE_BYTES)),
                Arguments.of("5.2 a reserved opcode for data", PROTOCOL_ERROR, frame(FIN | 0x3, CREATE_BYTES)),
                Arguments.of("5.2 a reserved opcode for control", PROTOCOL_ERROR, frame(FIN | 0xB)),
                Arguments.of("5.4 a continuation of nothing", PROTOCOL_ERROR, frame(FIN | CONTINUATION, CREATE_BYTES)),
                Arguments.of(
                        "5.4 a new message within another",
                        PROTOCOL_ERROR,
                        bytes(frame(TEXT, part(0, 5)), frame(FIN | TEXT, CREATE_BYTES))),
                Arguments.of("5.5 a ping in fragments", PROTOCOL_ERROR, frame(PING, new byte[] {1})),
                Arguments.of("5.5 a ping of 126 bytes", PROTOCOL_ERROR, frame(FIN | PING, new byte[126])),
                Arguments.of("5.5 a close in fragments", PROTOCOL_ERROR, frame(CLOSE, closing(1000, ""))),
                Arguments.of("5.5.1 a close of one byte", PROTOCOL_ERROR, frame(FIN | CLOSE, new byte[] {3})),
                Arguments.of("8.1 text that is no UTF-8", INVALID_PAYLOAD, frame(FIN | TEXT, new byte[] {
                    '"', (byte) 0xFF, '"'
                })),
                Arguments.of(
                        "8.1 a character that a message ends in", INVALID_PAYLOAD, frame(FIN | TEXT, halfCharacter)),
                Arguments.of(
                        "8.1 a character that ends otherwise in the next fragment",
                        INVALID_PAYLOAD,
                        bytes(frame(TEXT, halfCharacter), frame(FIN | CONTINUATION, new byte[] {'x'}))),
                Arguments.of("8.1 a surrogate", INVALID_PAYLOAD, frame(FIN | TEXT, new byte[] {
                    (byte) 0xED, (byte) 0xA0, (byte) 0x80
                })),
                Arguments.of("10.4 a frame that is too large", TOO_BIG, hugeHead()));
    }

    /** A frame that promises 2^40 bytes. */
    private static byte[] hugeHead() {
        return new byte[] {(byte) (FIN | TEXT), (byte) (0x80 | 127), 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4};
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenFrames")
    void whatBreaksTheProtocolClosesTheConnectionWithItsCode(String what, int code, byte[] sent) {
        try (RawWebSocket socket = open();
                RawWebSocket other = open()) {
            socket.write(sent);
            assertThat(closeCode(socket)).as(what).isEqualTo(code);
            assertThat(socket.read()).as("what follows the close").isNull();
            other.text(CREATE); // nobody else is the worse for it
            assertAnswered(other);
        }
    }

    /** The code that the server closes with, after an error event that may come first. */
    private static int closeCode(RawWebSocket socket) {
        RawWebSocket.Frame frame = socket.next();
        while (frame.opcode() == TEXT) {
            assertThat(frame.text()).contains("\"type\":\"error\"");
            frame = socket.next();
        }
        assertThat(frame.opcode()).isEqualTo(CLOSE);
        return frame.closeCode();
    }

    @Test
    void aMessageThatIsTooLargeInFragmentsIsRefused() { // 10.4
        byte[] piece = new byte[64 << 10];
        Arrays.fill(piece, (byte) ' ');
        try (RawWebSocket socket = open()) {
            try {
                socket.write(frame(TEXT, piece));
                for (int sent = 0; sent <= server.services.limits().messageBytes() / piece.length; sent++) {
                    socket.write(frame(CONTINUATION, piece));
                }
            } catch (UncheckedIOException _) {
                // The server did not wait for the rest.
            }
            List<Integer> codes = Stream.generate(socket::read)
                    .takeWhile(Objects::nonNull)
                    .filter(frame -> frame.opcode() == CLOSE)
                    .map(RawWebSocket.Frame::closeCode)
                    .toList();
            assertThat(codes).containsAnyOf(TOO_BIG);
        }
    }

    // ---- 5.6 Binary messages are allowed by the protocol and mean nothing here

    @Test
    void aBinaryMessageIsAnsweredWithAnErrorAndTheSocketStaysOpen() {
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | BINARY, CREATE_BYTES));
            assertThat(socket.next().text()).contains("\"type\":\"error\"").contains("binary");
            socket.text(CREATE);
            assertAnswered(socket);
        }
    }

    // ---- 7 Closing

    @ParameterizedTest
    @ValueSource(ints = {1000, 1001, 1003, 1011, 3000, 3999, 4000, 4999})
    void aCloseIsEchoedAndTheConnectionEnds(int code) { // 5.5.1, 7.4
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | CLOSE, closing(code, "bye")));
            assertThat(closeCode(socket)).isEqualTo(code);
            assertThat(socket.read()).isNull();
        }
    }

    @Test
    void aCloseWithoutACodeIsAnswered() { // 5.5.1
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | CLOSE));
            assertThat(closeCode(socket)).isIn(1000, 1005);
            assertThat(socket.read()).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999})
    void aCloseWithACodeThatMayNotBeSentIsAProtocolError(int code) { // 7.4
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | CLOSE, closing(code, "")));
            assertThat(closeCode(socket)).isEqualTo(PROTOCOL_ERROR);
        }
    }

    @Test
    void aCloseWhoseReasonIsNoTextIsRefused() { // 5.5.1
        try (RawWebSocket socket = open()) {
            socket.write(frame(FIN | CLOSE, new byte[] {3, (byte) 0xE8, (byte) 0xFF}));
            assertThat(closeCode(socket)).isIn(PROTOCOL_ERROR, INVALID_PAYLOAD);
        }
    }

    @Test
    void whatFollowsACloseIsIgnored() { // 5.5.1
        try (RawWebSocket socket = open()) {
            socket.write(bytes(frame(FIN | CLOSE, closing(1000, "")), frame(FIN | TEXT, CREATE_BYTES)));
            assertThat(closeCode(socket)).isEqualTo(1000);
            assertThat(socket.read()).isNull();
        }
        server.awaitIdle();
    }

    @Test
    void aConnectionMayEndAnywhereInAFrame() { // 7.1.7
        byte[] whole = frame(FIN | TEXT, CREATE_BYTES);
        for (int cut = 1; cut < whole.length; cut += 5) {
            try (RawWebSocket socket = open()) {
                socket.write(Arrays.copyOf(whole, cut));
            }
        }
        try (RawWebSocket socket = open()) {
            socket.text(CREATE);
            assertAnswered(socket);
        }
        server.awaitIdle();
    }
}
