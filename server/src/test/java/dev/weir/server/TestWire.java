package dev.weir.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.Set;

/**
 * A line between clients and a server that a test cuts and mends. While it is cut, every connection over it is reset, those that
 * exist and those that are tried. Any thread.
 */
final class TestWire implements AutoCloseable {
    private final ServerSocket listener;
    private final int serverPort;
    private final Set<Socket> ends = new HashSet<>();
    private boolean isCut;

    TestWire(int serverPort) {
        this.serverPort = serverPort;
        try {
            listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    /** Where clients connect. */
    int port() {
        return listener.getLocalPort();
    }

    synchronized void cut() {
        isCut = true;
        ends.forEach(TestWire::reset);
        ends.clear();
    }

    synchronized void mend() {
        isCut = false;
    }

    @Override
    public void close() {
        cut();
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                connect(listener.accept());
            } catch (IOException _) {
                // The listener was closed, or the client or the server left at once.
            }
        }
    }

    private synchronized void connect(Socket near) throws IOException {
        if (isCut) {
            reset(near);
            return;
        }
        Socket far = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        ends.add(near);
        ends.add(far);
        Thread.ofVirtual().start(() -> carry(near, far));
        Thread.ofVirtual().start(() -> carry(far, near));
    }

    private void carry(Socket from, Socket to) {
        try (from;
                to) {
            from.setTcpNoDelay(true);
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException _) {
            // One end broke, so does the other.
        }
        synchronized (this) {
            ends.remove(from);
            ends.remove(to);
        }
    }

    private static void reset(Socket socket) {
        try (socket) {
            socket.setSoLinger(true, 0);
        } catch (IOException _) {
            // It is closed already.
        }
    }
}
