package dev.weir.loadtest;

import java.util.Arrays;

/**
 * A splitter of a byte stream into the data of server-sent events, after the HTML standard's event-stream format.
 * Owner: one connection. Bytes may be cut anywhere; comments, event names and ids are passed over, several data lines
 * of one event are joined by a line feed, and all three line endings are understood.
 */
final class SseParser {

    /** Takes the data of one event; the array is valid during the call. */
    interface Sink {
        void data(byte[] bytes, int offset, int length);
    }

    private static final byte[] DATA = {'d', 'a', 't', 'a'};

    private byte[] partialLine = new byte[512];
    private int partialLength;
    private byte[] data = new byte[1024];
    private int dataLength;
    private boolean hasData;
    private boolean skipLineFeed;

    void accept(byte[] bytes, int offset, int length, Sink sink) {
        int end = offset + length;
        int lineStart = offset;
        for (int i = offset; i < end; i++) {
            byte b = bytes[i];
            if (b == '\n' && skipLineFeed) {
                skipLineFeed = false;
                lineStart = i + 1;
            } else if (b == '\n' || b == '\r') {
                skipLineFeed = b == '\r';
                if (partialLength == 0) {
                    line(bytes, lineStart, i - lineStart, sink);
                } else {
                    keep(bytes, lineStart, i - lineStart);
                    int whole = partialLength;
                    partialLength = 0;
                    line(partialLine, 0, whole, sink);
                }
                lineStart = i + 1;
            } else {
                skipLineFeed = false;
            }
        }
        keep(bytes, lineStart, end - lineStart);
    }

    /** Forgets a half-read event, for the next answer on the connection. */
    void reset() {
        partialLength = 0;
        dataLength = 0;
        hasData = false;
        skipLineFeed = false;
    }

    private void line(byte[] bytes, int offset, int length, Sink sink) {
        if (length == 0) {
            if (hasData) {
                int whole = dataLength;
                dataLength = 0;
                hasData = false;
                sink.data(data, 0, whole);
            }
            return;
        }
        int colon = DATA.length;
        if (length < colon || !Arrays.equals(bytes, offset, offset + colon, DATA, 0, colon)) {
            return;
        }
        if (length > colon && bytes[offset + colon] != ':') {
            return;
        }
        int skip = Math.min(length, colon + 1);
        if (length > skip && bytes[offset + skip] == ' ') {
            skip++;
        }
        int count = length - skip;
        if (data.length < dataLength + count + 1) {
            data = Arrays.copyOf(data, Math.max(data.length * 2, dataLength + count + 1));
        }
        if (hasData) {
            data[dataLength++] = '\n';
        }
        System.arraycopy(bytes, offset + skip, data, dataLength, count);
        dataLength += count;
        hasData = true;
    }

    private void keep(byte[] bytes, int offset, int length) {
        if (length == 0) {
            return;
        }
        if (partialLine.length < partialLength + length) {
            partialLine = Arrays.copyOf(partialLine, Math.max(partialLine.length * 2, partialLength + length));
        }
        System.arraycopy(bytes, offset, partialLine, partialLength, length);
        partialLength += length;
    }
}
