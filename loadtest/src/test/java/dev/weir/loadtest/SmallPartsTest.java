package dev.weir.loadtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.protocol.Prompt;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.file.NoSuchFileException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SmallPartsTest {

    @Test
    void durationsAreReadAndWritten() {
        assertThat(Durations.parse("20s")).isEqualTo(Duration.ofSeconds(20));
        assertThat(Durations.parse("500ms")).isEqualTo(Duration.ofMillis(500));
        assertThat(Durations.parse("1.5m")).isEqualTo(Duration.ofSeconds(90));
        assertThat(Durations.parse("250us")).isEqualTo(Duration.ofNanos(250_000));
        assertThat(Durations.format(Duration.ofMillis(1500))).isEqualTo("1.5s");
        assertThat(Durations.format(Duration.ofMillis(500))).isEqualTo("500ms");
        assertThat(Durations.format(Duration.ofSeconds(100))).isEqualTo("100s");
        for (String wrong : List.of("20", "-1s", "1 s", "s", "", "1e3s", "999999999h")) {
            assertThatThrownBy(() -> Durations.parse(wrong)).hasMessageContaining("'" + wrong + "'");
        }
    }

    @Test
    void addressesAreReadInTheWaysPeopleWriteThem() {
        assertThat(Target.parseBase("http://127.0.0.1:8080/v1/")).hasToString("http://127.0.0.1:8080");
        assertThat(Target.parseBase("http://host/v1/chat/completions")).hasToString("http://host");
        assertThat(Target.parseBase("localhost:8000")).hasToString("http://localhost:8000");
        assertThat(Target.parseBase("wss://host/llm")).hasToString("https://host/llm");
        Target target =
                new Target(Target.parseBase("https://host/llm"), Transport.SSE, Api.CHAT, null, Duration.ofSeconds(1));
        assertThat(target.uri("/v1/chat/completions")).isEqualTo("/llm/v1/chat/completions");
        assertThat(target.port()).isEqualTo(443);
        assertThatThrownBy(() -> Target.parseBase("http://")).hasMessageContaining("--url");
        assertThatThrownBy(() -> Target.parseBase("http://a b")).hasMessageContaining("--url");
    }

    @Test
    void fingerprintsOfPartsMakeThatOfTheWhole() {
        TextFingerprint parts = new TextFingerprint();
        for (String part : List.of("", "a", "bc", "", "\u0000", "def")) {
            parts.append(fingerprint(part));
        }
        assertThat(parts.sameAs(fingerprint("abc\u0000def"))).isTrue();
        assertThat(parts.sameAs(fingerprint("acb\u0000def"))).isFalse();
        assertThat(parts.sameAs(fingerprint("abc\u0000de"))).isFalse();
        assertThat(fingerprint("\u0000").sameAs(fingerprint("\u0000\u0000"))).isFalse();
    }

    private static TextFingerprint fingerprint(String text) {
        TextFingerprint fingerprint = new TextFingerprint();
        fingerprint.append(text.toCharArray(), 0, text.length());
        return fingerprint;
    }

    @Test
    void textPromptsConvergeOnTheWantedLength() {
        // A tokeniser of single letters: about five tokens a word, so the first guess is far off.
        PromptMaker maker = new PromptMaker(
                text -> Optional.of(Collections.nCopies(text.replace(" ", "").length(), 1)), 3);
        PromptMaker.Made made = maker.texts(200, 10);

        assertThat(made.precision()).isEqualTo(PromptMaker.Precision.FITTED);
        assertThat(made.prompts()).doesNotHaveDuplicates().allSatisfy(prompt -> {
            String text = ((Prompt.Text) prompt).text();
            assertThat(text.replace(" ", "").length()).isBetween(195, 205);
        });
    }

    @Test
    void idPromptsUseTheServersVocabularyWhereItIsKnown() {
        PromptMaker known = new PromptMaker(_ -> Optional.of(List.of(3, 5, 5)), 1);
        assertThat(known.ids(40, 2).prompts())
                .allSatisfy(prompt ->
                        assertThat(((Prompt.Tokens) prompt).ids()).hasSize(40).containsOnly(3, 5));
        PromptMaker unknown = new PromptMaker(_ -> Optional.empty(), 1);
        assertThat(unknown.ids(40, 2).prompts())
                .allSatisfy(prompt -> assertThat(
                                Arrays.stream(((Prompt.Tokens) prompt).ids()).boxed())
                        .hasSize(40)
                        .allSatisfy(id -> assertThat(id).isBetween(10, 249)));
    }

    @Test
    void thresholdsThatNothingWasMeasuredForAreMissed() {
        LatencyRecorder recorder = new LatencyRecorder();
        recorder.openWindow(0);
        Report report = Report.of("", "", Duration.ZERO, 1_000_000_000, recorder, new Report.ClientCost(0, 0, 0));

        assertThat(new Thresholds(null, Duration.ofMillis(5), null, 1.0).missed(report))
                .containsExactly(
                        "--max-ttft-p99 5ms missed: nothing was measured", "--min-tokens-per-second 1.0 missed: 0.0");
        assertThat(new Thresholds(0.0, null, null, null).missed(report)).isEmpty();
        assertThatThrownBy(() -> new Thresholds(1.5, null, null, null)).hasMessageContaining("--max-error-rate");
    }

    @Test
    void latenciesAboveTheirThresholdAreMissed() {
        LatencyRecorder recorder = new LatencyRecorder();
        recorder.openWindow(0);
        recorder.interTokenLatency.recordValueWithCount(10_000_000, 98);
        recorder.interTokenLatency.recordValueWithCount(50_000_000, 2);
        Report report = Report.of("", "", Duration.ZERO, 1_000_000_000, recorder, new Report.ClientCost(0, 0, 0));

        assertThat(new Thresholds(null, null, Duration.ofMillis(51), null).missed(report))
                .isEmpty();
        assertThat(new Thresholds(null, null, Duration.ofMillis(49), null).missed(report))
                .singleElement()
                .asString()
                .startsWith("--max-itl-p99 49ms missed: 50.");
    }

    @Test
    void networkErrorsAreToldWithoutTheirSystemCall() {
        assertThat(Failures.describe(new ConnectException(
                        "finishConnect(..) failed with error(-111): Connection refused: /127.0.0.1:1")))
                .isEqualTo("Connection refused: /127.0.0.1:1");
        assertThat(Failures.describe(new NoSuchFileException("a/b"))).isEqualTo("NoSuchFileException: a/b");
        assertThat(Failures.describe(new IOException())).isEqualTo("IOException");
    }
}
