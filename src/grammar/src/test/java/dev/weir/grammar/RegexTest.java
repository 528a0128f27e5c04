package dev.weir.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RegexTest {
    /** Java's engine is the judge, on texts drawn from the pattern, on damaged ones, and on random ones. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "abc",
                "a|bc|",
                "(a|b)*abb",
                "a{2,4}b{3}c{1,}",
                "[a-c]+[^a-c]?",
                "\\d{3}-\\w+\\W?",
                "(?:ab)+(?<n>c)?",
                "x*y*z*",
                "(a*)*b",
                "(a|ab)(c|bcd)(d*)",
                ".?\\.[.]",
                "[\\]\\-^]+",
                "[\u00e4-\u00fc\u4e00-\u9fa5]{1,3}",
                "\\x41\\u00e9\\t",
                "(|a)+b",
                "[^\\u0000-\\uffff]",
                "((a{0,2}){0,2}){1,2}c",
                "[-a]+",
                "a??b+?"
            })
    void aPatternMatchesWhatJavaSaysItDoes(String pattern) {
        Grammar grammar = Grammar.ofRegex(Bytes.TOKENS, pattern);
        Pattern judge = Pattern.compile(pattern);
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < 300; i++) {
            String drawn = Bytes.draw(grammar, random);
            assertThat(judge.matcher(drawn).matches()).as(drawn).isTrue();
            String damaged = damaged(drawn, random);
            assertThat(Bytes.accepts(grammar, damaged))
                    .as(damaged)
                    .isEqualTo(judge.matcher(damaged).matches());
            String other = random.ints(random.nextInt(8), 'a', 'e')
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            assertThat(Bytes.accepts(grammar, other))
                    .as(other)
                    .isEqualTo(judge.matcher(other).matches());
        }
    }

    private static String damaged(String text, SplittableRandom random) {
        StringBuilder damaged = new StringBuilder(text);
        int at = random.nextInt(text.length() + 1);
        if (at < text.length() && !Character.isSurrogate(text.charAt(at)) && random.nextBoolean()) {
            damaged.deleteCharAt(at);
        } else if (at == text.length() || !Character.isLowSurrogate(text.charAt(at))) {
            damaged.insert(at, (char) random.nextInt('a', 'e'));
        }
        return damaged.toString();
    }

    @Test
    void spaceIsWhatJavaScriptTakesForIt() {
        Grammar grammar = Grammar.ofRegex(Bytes.TOKENS, "\\s\\S");
        for (String space : new String[] {" ", "\t", "\n", "\u00a0", "\u3000", "\ufeff"}) {
            assertThat(Bytes.accepts(grammar, space + "a")).isTrue();
            assertThat(Bytes.accepts(grammar, "a" + space)).isFalse();
        }
    }

    @Test
    void anchorsAtTheEndsChangeNothingForAWholeMatch() {
        Grammar grammar = Grammar.ofRegex(Bytes.TOKENS, "^ab$");
        assertThat(Bytes.accepts(grammar, "ab")).isTrue();
        assertThat(Bytes.accepts(grammar, "abc")).isFalse();
    }

    @Test
    void onlyWellFormedUtf8IsText() {
        Grammar any = Grammar.ofRegex(Bytes.TOKENS, "[^x]*");
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 20_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(4)];
            random.nextBytes(bytes);
            bytes[0] |= (byte) 0xc0;
            String decoded = new String(bytes, StandardCharsets.UTF_8);
            boolean isText = Arrays.equals(bytes, decoded.getBytes(StandardCharsets.UTF_8));
            assertThat(Bytes.accepts(any, bytes)).isEqualTo(isText && !decoded.contains("x"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
            (a          ~ ) is missing
            a)          ~ at character 2: a bracket closes
            *a          ~ nothing to repeat
            a**         ~ one repetition follows another
            a{3,2}      ~ wrong way round
            a{10001}    ~ more than 10000
            a{x}        ~ a number is missing
            (?=a)b      ~ look-around
            (a)\\1      ~ \\1 is not supported
            \\bword     ~ word boundaries
            [z-a]       ~ does not go up
            []          ~ a class is empty
            a$b         ~ at character 2: an anchor
            ^a|b        ~ an anchor beside |
            a\\         ~ ends too early
            \\p{L}      ~ \\p is not supported
            """)
    void whatCannotBeDoneIsRefusedWithItsPlace(String pattern, String message) {
        assertThatThrownBy(() -> Grammar.ofRegex(Bytes.TOKENS, pattern.replace("\\\\", "\\")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message.replace("\\\\", "\\"));
    }

    @Test
    void deepBracketsAreRefused() {
        assertThatThrownBy(() -> Grammar.ofRegex(Bytes.TOKENS, "(".repeat(5_000) + ")".repeat(5_000)))
                .hasMessageContaining("nested more than");
    }
}
