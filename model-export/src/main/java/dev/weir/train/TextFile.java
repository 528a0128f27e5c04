package dev.weir.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A file of UTF-8 text. Immutable; any thread.
 *
 * @param file where it came from, for messages
 * @param sha256 digest of the file's bytes, by which it is known again
 */
record TextFile(Path file, String text, String sha256) {
    /**
     * Reads a file.
     *
     * @param option what the user named it with
     * @throws UserError if the file is missing, empty or not UTF-8
     */
    static TextFile read(String option, Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new UserError(option + " is " + file + ", which is no file: give a UTF-8 text file");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 16) {
            throw new UserError(option + " is " + file + " of " + Files.size(file)
                    + " bytes: files of up to 2 GiB are supported, take a part of it");
        }
        byte[] bytes = Files.readAllBytes(file);
        String text = decode(option, file, bytes);
        if (text.isBlank()) {
            throw new UserError(option + " is " + file + ", which holds no text");
        }
        return new TextFile(file, text, Sha256.of(bytes));
    }

    private static String decode(String option, Path file, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            int line = 1;
            for (int i = 0; i < in.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new UserError(String.format(
                    "%s is %s, which is not UTF-8: byte 0x%02x at offset %d, in line %d; convert it, for example with "
                            + "iconv -t UTF-8",
                    option, file, bytes[in.position()] & 0xFF, in.position(), line));
        }
        return out.flip().toString();
    }

    /** Its name and digest, for messages. */
    String describe() {
        return describe(file, sha256);
    }

    static String describe(Path file, String sha256) {
        return file.getFileName() + " (SHA-256 " + sha256 + ")";
    }
}
