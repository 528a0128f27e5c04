package dev.weir.train;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/** The characters of a part of a UTF-8 file, a chunk at a time, so that a file may be larger than memory. Owned by one thread. */
final class Utf8Reader implements Closeable {
    private static final int CHUNK = 1 << 20;

    private final Path file;
    private final FileChannel channel;
    private final long end;
    private final @Nullable MessageDigest digest;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    private final ByteBuffer bytes = ByteBuffer.allocate(CHUNK); // begins with what a chunk before left undecoded
    private final CharBuffer chars = CharBuffer.allocate(CHUNK);
    private long position; // in the file, of the first byte not yet decoded
    private long line;
    private boolean done;

    /**
     * Opens a file.
     *
     * @param from the first byte of the part, where a character begins
     * @param to one past its last byte
     * @param line the number of the line that {@code from} is in, for messages
     * @param digest is given the bytes read; may be none
     */
    Utf8Reader(Path file, long from, long to, long line, @Nullable MessageDigest digest) throws IOException {
        this.file = file;
        this.end = to;
        this.digest = digest;
        this.position = from;
        this.line = line;
        channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    /**
     * The next characters, or null at the end of the part. The buffer, which has an array, is good until the next call.
     *
     * @throws UserError if the file is not UTF-8
     */
    @Nullable
    CharBuffer next() throws IOException {
        if (done) {
            return null;
        }
        int carried = bytes.position();
        bytes.limit((int) Math.min(bytes.capacity(), end - position));
        int got = 0;
        while (got >= 0 && bytes.hasRemaining()) {
            got = channel.read(bytes, position + bytes.position());
        }
        done = got < 0 || position + bytes.position() == end;
        if (digest != null) {
            digest.update(bytes.array(), carried, bytes.position() - carried);
        }
        bytes.flip();
        CoderResult result = decoder.decode(bytes, chars.clear(), done);
        chars.flip();
        for (int i = 0; i < chars.limit(); i++) {
            line += chars.get(i) == '\n' ? 1 : 0;
        }
        position += bytes.position();
        if (result.isError()) {
            throw new UserError(String.format(
                    "--data is %s, which is not UTF-8: byte 0x%02x at offset %d, in line %d; convert it, for example with "
                            + "iconv -t UTF-8",
                    file, bytes.get(bytes.position()) & 0xFF, position, line));
        }
        bytes.compact();
        return chars;
    }

    /** Bytes of the file before the first that is not yet read. */
    long position() {
        return position;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
