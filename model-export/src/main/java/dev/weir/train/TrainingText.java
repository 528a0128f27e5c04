package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A text file, cut into the part to train on and the tail held out for validation. Immutable; any thread.
 *
 * @param file where it came from, for messages
 * @param training the text up to the tail
 * @param validation the tail
 * @param sha256 digest of the file's bytes, by which a resumed run knows its data again
 */
record TrainingText(Path file, String training, String validation, String sha256) {

    /**
     * Reads a file as UTF-8.
     *
     * @param heldOut share of the characters, from the end, that becomes the validation text
     * @throws UserError if the file is missing, empty or not UTF-8
     */
    static TrainingText read(Path file, double heldOut) throws IOException {
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new UserError("--held-out is " + heldOut + ": choose a share above 0 and below 1, such as 0.1");
        }
        if (!Files.isRegularFile(file)) {
            throw new UserError("--data is " + file + ", which is no file: give a UTF-8 text file");
        }
        if (Files.size(file) > Integer.MAX_VALUE - 16) {
            throw new UserError("--data is " + file + " of " + Files.size(file)
                    + " bytes: files of up to 2 GiB are supported, train on a part of it");
        }
        byte[] bytes = Files.readAllBytes(file);
        String text = decode(file, bytes);
        if (text.isBlank()) {
            throw new UserError("--data is " + file + ", which holds no text");
        }
        int cut = (int) (text.length() * (1 - heldOut));
        if (cut > 0 && cut < text.length() && Character.isLowSurrogate(text.charAt(cut))) {
            cut++;
        }
        return new TrainingText(file, text.substring(0, cut), text.substring(cut), sha256(bytes));
    }

    private static String decode(Path file, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        CoderResult result = decoder.decode(in, out, true);
        if (result.isError()) {
            throw new UserError(String.format(
                    "--data is %s, which is not UTF-8: byte 0x%02x at offset %d; convert it, for example with iconv -t UTF-8",
                    file, bytes[in.position()] & 0xFF, in.position()));
        }
        return out.flip().toString();
    }

    /** Its name and digest, for messages. */
    String describe() {
        return file.getFileName() + " (SHA-256 " + sha256 + ")";
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /**
     * The two parts as token ids, in the order in which the model reads. {@code <|endoftext|>} written out in the text becomes that token, so that a file of many
     * documents can separate them.
     *
     * @throws UserError if a part is too short for the model's context
     */
    TokenizedText tokenize(Tokenizer tokenizer, GptConfig model) {
        int context = model.context();
        int[] train = model.direction().order(tokenizer.encode(training, true), tokenizer.eosId());
        int[] held = model.direction().order(tokenizer.encode(validation, true), tokenizer.eosId());
        // A block of T tokens and the token after each needs T + 1; a validation part may be a shorter block.
        if (train.length < context + 1) {
            throw new UserError("--data is " + file + " with " + train.length
                    + " training tokens, too few for --context " + context + ": give more text or a context below "
                    + train.length);
        }
        if (held.length < 2) {
            throw new UserError("--data is " + file + " with " + held.length
                    + " held-out tokens, too few to validate on: give more text or a larger --held-out");
        }
        return new TokenizedText(train, held, tokenizer);
    }
}
