package dev.weir.train;

import java.io.IOException;
import java.io.InputStream;
import java.nio.CharBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/** One look through a file: its digest, and where its held-out tail begins. Static functions; any thread. */
final class DataScan {
    private static final int CHUNK = 1 << 20;

    private DataScan() {}

    /** A place in a file: so many bytes, which are so many characters, with so many ends of lines. */
    private record Mark(long bytes, long chars, long lines) {}

    /** Plain text, which is cut at a share of its characters. */
    static DataFile plain(Path file, DataFormat.Plain format, double heldOut) throws IOException {
        MessageDigest digest = Sha256.digest();
        Mark mark = new Mark(0, 0, 0);
        List<Mark> marks = new ArrayList<>(List.of(mark));
        boolean blank = true;
        try (Utf8Reader reader = new Utf8Reader(file, 0, Files.size(file), 1, digest)) {
            for (CharBuffer chunk = reader.next(); chunk != null; chunk = reader.next()) {
                blank = blank && chunk.chars().allMatch(Character::isWhitespace);
                long lines = chunk.chars().filter(c -> c == '\n').count();
                mark = new Mark(reader.position(), mark.chars + chunk.length(), mark.lines + lines);
                marks.add(mark);
            }
        }
        if (blank) {
            throw noText(file);
        }
        Mark end = mark;
        Mark cut = advance(file, marks, (long) (end.chars * (1 - heldOut)), end.bytes);
        return new DataFile(file, format, Sha256.hex(digest), end.bytes, cut.bytes, cut.lines + 1);
    }

    /** The place after so many characters, or after one more where that would be inside a pair of surrogates. */
    private static Mark advance(Path file, List<Mark> marks, long chars, long size) throws IOException {
        Mark before = marks.reversed().stream()
                .filter(mark -> mark.chars <= chars)
                .findFirst()
                .orElseThrow();
        long bytes = before.bytes;
        long lines = before.lines;
        try (Utf8Reader reader = new Utf8Reader(file, before.bytes, size, before.lines + 1, null)) {
            CharBuffer chunk = reader.next();
            long left = chars - before.chars;
            for (int i = 0; chunk != null && i < left; i++) {
                char c = chunk.get(i);
                lines += c == '\n' ? 1 : 0;
                if (Character.isHighSurrogate(c)) {
                    bytes += 4;
                    i++;
                } else {
                    bytes += c < 0x80 ? 1 : c < 0x800 ? 2 : 3;
                }
            }
        }
        return new Mark(bytes, chars, lines);
    }

    /** Documents stay whole: one is held out if its line reaches beyond a share of the bytes. */
    static DataFile jsonLines(Path file, DataFormat.JsonLines format, double heldOut) throws IOException {
        MessageDigest digest = Sha256.digest();
        long wanted = (long) (Files.size(file) * (1 - heldOut));
        long bytes = 0;
        long cut = 0;
        long line = 1;
        byte[] chunk = new byte[CHUNK];
        try (InputStream in = Files.newInputStream(file)) {
            for (int count = in.read(chunk); count > 0; count = in.read(chunk)) {
                digest.update(chunk, 0, count);
                for (int i = 0; i < count && bytes + i < wanted; i++) {
                    if (chunk[i] == '\n') {
                        cut = bytes + i + 1;
                        line++;
                    }
                }
                bytes += count;
            }
        }
        if (bytes == 0) {
            throw noText(file);
        }
        return new DataFile(file, format, Sha256.hex(digest), bytes, cut, line);
    }

    private static UserError noText(Path file) {
        return new UserError("--data is " + file + ", which holds no text: give a file that does");
    }
}
