package dev.weir.tokenizer;

import java.util.List;
import java.util.Random;

/** Random text for law tests, and the seed that makes it come again. */
final class Texts {
    private static final List<String> PIECES = List.of(
            "a",
            "b",
            "low",
            " low",
            "er",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\t",
            "'s",
            "'LL",
            "42",
            "1234567",
            "é",
            "e\u0301",
            "ñ",
            "ß",
            "的",
            "中文",
            "ひ",
            "한",
            "ا",
            "न",
            "🙂",
            "👩‍👩‍👧‍👦",
            "🏳️‍🌈",
            "👍🏽",
            "🇩🇪",
            "\u0000",
            "\u00a0",
            "\u2003",
            "\u200b",
            "\ufeff",
            "\uffff",
            "\ufffd",
            "<|",
            "|>",
            "<|endoftext|>",
            "!",
            "...",
            "\u2028",
            "ſ",
            "𝒳",
            "½",
            "_");

    private Texts() {}

    /** The seed of a law test: {@code -Dtests.seed} or a fresh one, to be named when the test fails. */
    static long seed() {
        return Long.getLong("tests.seed", System.nanoTime());
    }

    static String random(Random random, int pieces) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pieces; i++) {
            if (random.nextInt(8) == 0) {
                int point = random.nextInt(Character.MAX_CODE_POINT + 1);
                boolean surrogate = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
                text.appendCodePoint(surrogate ? 'x' : point);
            } else {
                text.append(PIECES.get(random.nextInt(PIECES.size())));
            }
        }
        return text.toString();
    }
}
