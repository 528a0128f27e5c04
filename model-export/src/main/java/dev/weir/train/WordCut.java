package dev.weir.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.tokenizer.ByteLevel;
import java.util.Arrays;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** How text is cut into the words that a tokenizer's merges never cross. */
enum WordCut {
    /** As GPT-2 cuts: a word takes the space before it, digits and marks stay together. Fewest tokens. */
    GPT2("gpt2", ""),
    /** As GPT-2 cuts, but each digit by itself, without the space before it: a number is its digits. */
    DIGITS("digits", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
    /**
     * Letters together, everything else by itself: spaces, digits, marks. A word is the same tokens wherever it stands, and a
     * number is its digits, so that a small model need not learn each word and each number several times.
     */
    APART("apart", "\\p{L}+|[^\\p{L}]");

    private final String label;
    private final String regex;

    WordCut(String label, String regex) {
        this.label = label;
        this.regex = regex;
    }

    /** The name on the command line. */
    String label() {
        return label;
    }

    /** The cut of that name. */
    static WordCut named(String label) {
        for (WordCut cut : values()) {
            if (cut.label.equals(label)) {
                return cut;
            }
        }
        throw new UserError("--words is \"" + label + "\": choose one of "
                + Arrays.stream(values()).map(WordCut::label).collect(Collectors.joining(", ")));
    }

    /** Finds the words: consecutive finds cover every character of a text. */
    Pattern pattern() {
        return this == GPT2 ? ByteLevel.gpt2Words() : Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** Writes it as {@code pre_tokenizer} of a {@code tokenizer.json}. */
    void writeTo(ObjectNode preTokenizer) {
        if (this == GPT2) {
            byteLevel(preTokenizer, true);
            return;
        }
        preTokenizer.put("type", "Sequence");
        ObjectNode split = preTokenizer.putArray("pretokenizers").addObject();
        split.put("type", "Split");
        split.putObject("pattern").put("Regex", regex);
        split.put("behavior", "Isolated").put("invert", false);
        byteLevel(preTokenizer.withArray("pretokenizers").addObject(), false);
    }

    /** A part that turns text into bytes, and perhaps cuts it first. */
    static void byteLevel(ObjectNode part, boolean cuts) {
        part.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", cuts);
    }
}
