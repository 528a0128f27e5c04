package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class Utf8DecoderTest {
    @Test
    void examplesOfTheUnicodeStandardAreReplacedAsItRecommends() {
        // tables 3-8 to 3-11: longer forms than needed, surrogates, values past the last one, cut sequences
        assertThat(decode("C0AFE080BFF0818241")).isEqualTo("\ufffd".repeat(8) + "A");
        assertThat(decode("EDA080EDBFBFEDAF41")).isEqualTo("\ufffd".repeat(8) + "A");
        assertThat(decode("F4919293FF4180BF42")).isEqualTo("\ufffd".repeat(5) + "A" + "\ufffd".repeat(2) + "B");
        assertThat(decode("E180E2F09192F1BF41")).isEqualTo("\ufffd".repeat(4) + "A");
    }

    private static String decode(String hex) {
        return Utf8Decoder.decode(HexFormat.of().parseHex(hex));
    }

    @Test
    void anyBytesCutAnywhereGiveOneReplacementForEachLongestBeginningOfACharacter() {
        long seed = Texts.seed();
        Random random = new Random(seed);
        Set<String> beginnings = beginnings();
        byte[] edges = HexFormat.of().parseHex("00417F808F909FA0BFC0C1C2DFE0E1EDEFF0F1F4F5FF");
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes = new byte[random.nextInt(8)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = random.nextInt(8) > 0 ? edges[random.nextInt(edges.length)] : (byte) random.nextInt(256);
            }
            int cut = random.nextInt(bytes.length + 1);
            StringBuilder text = new StringBuilder();
            Utf8Decoder decoder = new Utf8Decoder();
            decoder.accept(Arrays.copyOfRange(bytes, 0, cut), text);
            decoder.accept(Arrays.copyOfRange(bytes, cut, bytes.length), text);
            decoder.finish(text);

            assertThat(text.toString())
                    .as("tests.seed=%d bytes %s", seed, HexFormat.of().formatHex(bytes))
                    .isEqualTo(search(bytes, beginnings));
        }
    }

    /** Tries every length at every place, with the JDK's strict decoder to say what is a character. */
    private static String search(byte[] bytes, Set<String> beginnings) {
        StringBuilder text = new StringBuilder();
        int done = 0;
        while (done < bytes.length) {
            int taken = 1;
            String character = "\ufffd";
            for (int length = 1; length <= 4 && done + length <= bytes.length; length++) {
                byte[] part = Arrays.copyOfRange(bytes, done, done + length);
                if (isCharacter(part)) {
                    taken = length;
                    character = new String(part, StandardCharsets.UTF_8);
                } else if (beginnings.contains(HexFormat.of().formatHex(part))) {
                    taken = length;
                }
            }
            text.append(character);
            done += taken;
        }
        return text.toString();
    }

    /** What the first one to three bytes of the longer characters can be, in hexadecimal: taken from all of Unicode. */
    private static Set<String> beginnings() {
        Set<String> beginnings = new HashSet<>();
        for (int point = 0x80; point <= Character.MAX_CODE_POINT; point += 0x40) {
            if (point < Character.MIN_SURROGATE || point > Character.MAX_SURROGATE) {
                byte[] bytes = Character.toString(point).getBytes(StandardCharsets.UTF_8);
                for (int length = 1; length < bytes.length; length++) {
                    beginnings.add(HexFormat.of().formatHex(bytes, 0, length));
                }
            }
        }
        return beginnings;
    }

    private static boolean isCharacter(byte[] part) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(part))
                    .toString();
            return text.codePointCount(0, text.length()) == 1;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
