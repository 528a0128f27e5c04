package dev.weir.train;

import java.util.Locale;
import java.util.OptionalInt;

/** Which way a model reads a document: the order in which it is given the tokens, each of which it predicts from those before. */
enum Direction {
    /** As it is written: left to right. */
    LTR,
    /** From its last token to its first. */
    RTL;

    /** The name on the command line and in files. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The tokens of a text in the order in which the model reads them, or back in the order of the text. Each document is
     * turned around for itself; documents, and the token that ends each, stay where they are.
     *
     * @param endOfText the token between documents; without one the text is a single document
     */
    int[] order(int[] tokens, OptionalInt endOfText) {
        int[] ordered = tokens.clone();
        if (this == LTR) {
            return ordered;
        }
        int start = 0;
        for (int end = 0; end <= tokens.length; end++) {
            if (end == tokens.length || (endOfText.isPresent() && tokens[end] == endOfText.getAsInt())) {
                for (int i = start; i < end; i++) {
                    ordered[i] = tokens[start + end - 1 - i];
                }
                start = end + 1;
            }
        }
        return ordered;
    }
}
