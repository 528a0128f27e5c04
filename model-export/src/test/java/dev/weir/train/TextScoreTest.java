package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextScoreTest {
    private static final int CONTEXT = 8;

    @TempDir
    Path folder;

    private Tokenizer bytes;

    @BeforeEach
    void oneTokenPerByte() throws IOException {
        BpeTrainer.train("", 257, List.of("<|endoftext|>")).write(folder);
        bytes = Tokenizer.load(folder);
    }

    @ParameterizedTest
    @CsvSource({"100, 8", "100, 3", "97, 1", "9, 8", "8, 8", "3, 2", "1000, 7", "17, 8"})
    void everyTokenButTheFirstIsPredictedOnce(int length, int stride) {
        int[] text = IntStream.range(0, length).map(i -> i % 251).toArray();
        FakeScorer scorer = new FakeScorer(CONTEXT, window -> -window.scored());

        TextScore score = TextScore.of(scorer, text, bytes, stride, _ -> {});

        assertThat(score.tokens()).isEqualTo(length - 1);
        assertThat(score.nats()).isCloseTo(length - 1, within(1e-9));
        List<Integer> predicted = new ArrayList<>();
        for (Scorer.Window window : scorer.seen) {
            assertThat(window.tokens()).hasSizeLessThanOrEqualTo(CONTEXT + 1);
            if (!predicted.isEmpty()) {
                assertThat(window.from()).isGreaterThan(CONTEXT - stride);
            }
            for (int i = window.from(); i < window.tokens().length; i++) {
                predicted.add(window.tokens()[i]);
            }
        }
        assertThat(predicted)
                .containsExactlyElementsOf(Arrays.stream(text).skip(1).boxed().toList());
    }

    @Test
    void windowsOfTheContextLieSideBySide() {
        FakeScorer scorer = new FakeScorer(3, _ -> 0);

        TextScore.of(scorer, new int[] {10, 11, 12, 13, 14, 15}, bytes, 3, _ -> {});

        assertThat(scorer.seen)
                .extracting(Scorer.Window::tokens)
                .containsExactly(new int[] {10, 11, 12, 13}, new int[] {13, 14, 15});
        assertThat(scorer.seen).extracting(Scorer.Window::from).containsExactly(1, 1);
    }

    @Test
    void lossPerplexityAndBitsPerByteAreOfOneKind() {
        TextScore score = new TextScore(10, 40, 10 * Math.log(16), 8);
        assertThat(score.loss()).isCloseTo(Math.log(16), within(1e-12));
        assertThat(score.perplexity()).isCloseTo(16, within(1e-9));
        assertThat(score.bitsPerByte()).isCloseTo(1, within(1e-12));
    }

    @Test
    void bytesAreThoseThatThePredictedTokensStandFor() {
        int end = bytes.eosId().orElseThrow();
        TextScore score = TextScore.of(new FakeScorer(8, _ -> -1), new int[] {65, end, 66}, bytes, 8, _ -> {});
        assertThat(score.bytes()).isEqualTo("<|endoftext|>".length() + 1);
    }

    @Test
    void stridesThatLeaveGapsAreRefused() {
        FakeScorer scorer = new FakeScorer(8, _ -> 0);
        assertThatThrownBy(() -> TextScore.of(scorer, new int[20], bytes, 9, _ -> {}))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--stride is 9")
                .hasMessageContaining("context, 8");
        assertThatThrownBy(() -> TextScore.of(scorer, new int[20], bytes, 0, _ -> {}))
                .hasMessageContaining("--stride is 0");
        assertThatThrownBy(() -> TextScore.of(scorer, new int[1], bytes, 8, _ -> {}))
                .hasMessageContaining("1 tokens");
    }
}
