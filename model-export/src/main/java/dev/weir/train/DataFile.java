package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * A file of text, looked through once: the part to train on, and the tail held out for validation. Its text stays on disk.
 * Immutable; any thread.
 *
 * @param sha256 digest of its bytes, by which it is known again
 * @param bytes how large it is
 * @param cut how many of its bytes are the part to train on
 * @param cutLine the number of the line in which the tail begins
 */
record DataFile(Path file, DataFormat format, String sha256, long bytes, long cut, long cutLine) {
    /**
     * Looks through a file.
     *
     * @param heldOut share of it, from its end, to validate on
     * @throws UserError if it is missing or holds no text; plain text also if it is not UTF-8
     */
    static DataFile read(Path file, DataFormat format, double heldOut) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new UserError(
                    "--data is " + file + ", which is no file: give a UTF-8 text file, or JSON lines in a file "
                            + "that ends in .jsonl; a weight is a number after a colon");
        }
        return switch (format) {
            case DataFormat.Plain plain -> DataScan.plain(file, plain, heldOut);
            case DataFormat.JsonLines lines -> DataScan.jsonLines(file, lines, heldOut);
        };
    }

    /**
     * The text to train on.
     *
     * @param seam where plain text may be cut
     * @param digest is given the bytes read; may be none
     */
    DataPieces training(Seam seam, @Nullable MessageDigest digest) throws IOException {
        return pieces(0, cut, 1, seam, digest);
    }

    /** The text held out; otherwise as the one to train on. */
    DataPieces heldOut(Seam seam, @Nullable MessageDigest digest) throws IOException {
        return pieces(cut, bytes, cutLine, seam, digest);
    }

    private DataPieces pieces(long from, long to, long line, Seam seam, @Nullable MessageDigest digest)
            throws IOException {
        Utf8Reader reader = new Utf8Reader(file, from, to, line, digest);
        return switch (format) {
            case DataFormat.Plain _ -> new TextPieces(reader, seam);
            case DataFormat.JsonLines(String key) -> new JsonDocuments(file, key, reader, line);
        };
    }

    /** Its name and digest, for messages. */
    String describe() {
        return TextFile.describe(file, sha256);
    }
}
