package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class MarkedTextTest {
    private static final MarkedText MIXED = MarkedText.trusted("ab")
            .plus(MarkedText.untrusted("CD"))
            .plus(MarkedText.untrusted("E"))
            .plus(MarkedText.trusted("f"))
            .plus(MarkedText.untrusted("G"));

    @Test
    void joiningAndCuttingKeepTheMarksOfEachCharacter() {
        assertThat(marks(MIXED)).isEqualTo("ab***f*");
        assertThat(marks(MIXED.substring(1, 4))).isEqualTo("b**");
        assertThat(marks(MIXED.substring(3, 7))).isEqualTo("**f*");
        assertThat(marks(MIXED.substring(5, 6))).isEqualTo("f");
        assertThat(marks(MIXED.substring(2, 2))).isEmpty();
        assertThat(marks(MIXED.substring(4, 7).plus(MIXED.substring(0, 3)))).isEqualTo("*f*ab*");
    }

    @Test
    void aStretchIsTrustedOnlyIfAllOfItIs() {
        assertThat(MIXED.isTrusted(0, 2)).isTrue();
        assertThat(MIXED.isTrusted(5, 6)).isTrue();
        assertThat(MIXED.isTrusted(0, 3)).isFalse();
        assertThat(MIXED.isTrusted(1, 6)).isFalse();
        assertThat(MIXED.isTrusted(4, 6)).isFalse();
        assertThat(MIXED.isTrusted(5, 7)).isFalse();
        assertThat(MarkedText.trusted("xyz").isTrusted(0, 3)).isTrue();
    }

    @Test
    void aChangeOfAMarkedTextMarksItsWholeResult() {
        assertThat(marks(MIXED.changedTo("xyz"))).isEqualTo("***");
        assertThat(marks(MarkedText.trusted("ab").changedTo("xyz"))).isEqualTo("xyz");
    }

    @Test
    void marksDoNotCountInComparisons() {
        assertThat(MarkedText.untrusted("user"))
                .isEqualTo(MarkedText.trusted("user"))
                .hasSameHashCodeAs(MarkedText.trusted("user"));
    }

    /** Upper-case letters are marked: whatever is done, exactly they stay so. */
    @Test
    void randomPiecesKeepTheirMarks() {
        Random random = new Random(5);
        MarkedText text = MIXED;
        for (int i = 0; i < 2_000; i++) {
            int start = random.nextInt(text.length() + 1);
            int end = start + random.nextInt(text.length() - start + 1);
            MarkedText part = text.substring(start, end);
            text = random.nextBoolean()
                    ? text.substring(0, start).plus(part)
                    : part.plus(text.substring(end, text.length()));
            text = text.length() < 5 || text.length() > 60 ? MIXED.plus(part) : text;
            assertThat(marks(text)).isEqualTo(text.toString().replaceAll("[A-Z]", "*"));
        }
    }

    private static String marks(MarkedText text) {
        StringBuilder marks = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            marks.append(text.isTrusted(i, i + 1) ? text.toString().charAt(i) : '*');
        }
        return marks.toString();
    }
}
