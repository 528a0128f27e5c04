package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;

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
        TextFile whole = TextFile.read("--data", file);
        String text = whole.text();
        int cut = (int) (text.length() * (1 - heldOut));
        if (cut > 0 && cut < text.length() && Character.isLowSurrogate(text.charAt(cut))) {
            cut++;
        }
        return new TrainingText(file, text.substring(0, cut), text.substring(cut), whole.sha256());
    }

    /** Its name and digest, for messages. */
    String describe() {
        return TextFile.describe(file, sha256);
    }

    /**
     * The two parts as token ids, in the order in which the model reads. {@code <|endoftext|>} written out in the text becomes
     * that token, so that a file of many documents can separate them.
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
