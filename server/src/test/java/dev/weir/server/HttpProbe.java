package dev.weir.server;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Sends bytes to an HTTP connection and sees that the server answers them or closes it: behind each input comes a request for
 * what nobody serves. Bytes that are no whole request may leave the server waiting for more; then it must close once the client
 * does. A connection that is still good is used for the next input. Used by one thread.
 */
final class HttpProbe implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 20_000;

    /** How long to wait for more, where the server may be waiting itself. */
    private static final int MOMENT_MILLIS = 10;

    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3}) ");

    /** How Vert.x refuses a version of HTTP that it does not know: it repeats it. */
    private static final Pattern OTHER_VERSION =
            Pattern.compile("\\S+ (400 Bad Request|501 Not Implemented)\r\n.*", Pattern.DOTALL);

    private final int port;
    private final byte[] buffer = new byte[64 << 10];
    private @Nullable Socket socket;
    private long sent;

    HttpProbe(int port) {
        this.port = port;
    }

    /**
     * Sends an input and waits for what the server makes of it.
     *
     * @return whether the connection is still good
     * @throws AssertionError if the server says what it never should, or nothing
     */
    boolean send(HttpInputs.Input input) {
        try {
            Socket open = socket == null ? new Socket(InetAddress.getLoopbackAddress(), port) : socket;
            open.setTcpNoDelay(true);
            socket = open;
            String question = "/fuzz-" + sent++;
            try {
                OutputStream out = open.getOutputStream();
                out.write(input.bytes());
                if (!input.isWhole()) {
                    out.write("\r\n\r\n".getBytes(StandardCharsets.US_ASCII)); // the end of a head, if it is in one
                }
                out.write(HttpInputs.get(question));
            } catch (SocketException _) {
                // The server has closed the connection already, and what it said before can be read.
            }
            return read(open, input, "GET " + question + " is not served");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean read(Socket open, HttpInputs.Input input, String answered) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        open.setSoTimeout(input.isWhole() ? PATIENCE_MILLIS : MOMENT_MILLIS);
        boolean isWaiting = false;
        boolean hasAnswered = false;
        try {
            while (!hasAnswered) {
                int length = read(open.getInputStream());
                if (length < 0) {
                    break;
                }
                all.write(buffer, 0, length);
                hasAnswered = latin(all).endsWith("}") && latin(all).contains(answered);
            }
        } catch (SocketTimeoutException e) {
            if (input.isWhole()) {
                throw new AssertionError("neither an answer nor a close, but " + latin(all), e);
            }
            isWaiting = true;
        }
        if (isWaiting) {
            awaitClose(open, all);
        }
        check(latin(all), latin(input.bytes()));
        if (!hasAnswered) {
            close();
        }
        return hasAnswered;
    }

    /** The client has nothing more to say: the server closes. */
    private void awaitClose(Socket open, ByteArrayOutputStream all) throws IOException {
        open.setSoTimeout(PATIENCE_MILLIS);
        try {
            open.shutdownOutput();
            int length = read(open.getInputStream());
            while (length >= 0) {
                all.write(buffer, 0, length);
                length = read(open.getInputStream());
            }
        } catch (SocketException _) {
            // Closed in a hurry.
        } catch (SocketTimeoutException e) {
            throw new AssertionError("the client closed and the server does not, but says " + latin(all), e);
        }
    }

    private int read(InputStream in) throws IOException {
        try {
            return in.read(buffer);
        } catch (SocketException _) {
            return -1; // reset: the server did not wait for all that was sent
        }
    }

    private static void check(String said, String input) {
        boolean isOther =
                input.contains("HTTP/2") || input.contains("h2c"); // frames, of which the client knows nothing
        if (!said.isEmpty()
                && !said.startsWith("HTTP/1.")
                && !isOther
                && !OTHER_VERSION.matcher(said).matches()) {
            throw new AssertionError("no HTTP: " + said);
        }
        boolean isBad = STATUS.matcher(said).results().map(HttpProbe::status).anyMatch(status -> status == 500)
                || said.contains("\"code\":\"internal_error\"");
        if (isBad) {
            throw new AssertionError("the server failed: " + said);
        }
    }

    private static int status(MatchResult found) {
        return Integer.parseInt(found.group(1));
    }

    private static String latin(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.ISO_8859_1);
    }

    private static String latin(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }

    @Override
    public void close() {
        Socket open = socket;
        socket = null;
        if (open == null) {
            return;
        }
        try {
            if (sent % 2 == 0) {
                open.setSoLinger(true, 0); // without a word, as connections break
            }
            open.close();
        } catch (IOException _) {
            // The server was faster.
        }
    }
}
