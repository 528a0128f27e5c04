package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaskScoreTest {
    @TempDir
    Path folder;

    private Tokenizer bytes;

    @BeforeEach
    void oneTokenPerByte() throws IOException {
        BpeTrainer.train("", 257, List.of("<|endoftext|>")).write(folder);
        bytes = Tokenizer.load(folder);
    }

    @Test
    void itemsAreReadWithEitherNameAndEitherKindOfAnswer() throws IOException {
        List<TaskItem> items = read(
                "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 1}",
                "",
                "{\"prompt\": \"d\", \"choices\": [\"e\", \"f\", \"g\"], \"answer\": \"g\", \"id\": 7}");
        assertThat(items)
                .containsExactly(
                        new TaskItem(1, "a", List.of("b", "c"), 1), new TaskItem(3, "d", List.of("e", "f", "g"), 2));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"context\": \"a\"                                             | not valid JSON",
                "[1]                                                            | is no JSON object",
                "{\"choices\": [\"b\", \"c\"], \"answer\": 1}                   | no context",
                "{\"context\":\"a\",\"prompt\":\"a\",\"choices\":[\"b\",\"c\"],\"answer\":1} | both context and prompt",
                "{\"context\": 3, \"choices\": [\"b\", \"c\"], \"answer\": 1}   | context is 3",
                "{\"context\": \"a\", \"choices\": [\"b\"], \"answer\": 0}      | choices has 1",
                "{\"context\": \"a\", \"choices\": [\"b\", \" \"], \"answer\": 0} | choices has \" \"",
                "{\"context\": \"a\", \"choices\": [\"b\", 3], \"answer\": 0}   | choices has 3",
                "{\"context\": \"a\", \"choices\": [\"b\", \"c\"]}              | answer is missing",
                "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 2} | answer is 2",
                "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": \"d\"} | answer is \"d\""
            })
    void whatIsWrongInAFileIsNamedByItsLine(String line, String message) {
        assertThatThrownBy(() -> read("{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 1}", line))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("task.jsonl, line 2: ")
                .hasMessageContaining(message);
    }

    @Test
    void theSpaceBetweenContextAndChoiceBelongsToTheChoice() {
        assertThat(seen(new TaskItem(1, "to be", List.of("or", " not"), 0), 0))
                .containsExactly("to be| or", "to be| not");
        assertThat(seen(new TaskItem(1, "to be ", List.of("or", "not"), 0), 0))
                .containsExactly("to be| or", "to be| not");
        assertThat(seen(new TaskItem(1, "to be\n", List.of("or", "not"), 0), 0))
                .containsExactly("to be\n|or", "to be\n|not");
        // With nothing to start from, the end of the text before is what there is.
        assertThat(seen(new TaskItem(1, "", List.of("or", "not"), 0), 0))
                .containsExactly("<|endoftext|>|or", "<|endoftext|>|not");
    }

    @Test
    void accuracyCountsTheLikeliestChoiceAndTheLikeliestPerToken() {
        List<TaskItem> items = List.of(
                new TaskItem(1, "x", List.of("a", "bbbb"), 0),
                new TaskItem(2, "x", List.of("a", "bbbb"), 1),
                new TaskItem(3, "x", List.of("a", "bbbb", "cc", "dd"), 0));
        // " a" has -2 in all and -1 a token, " bbbb" -2.5 and -0.5; the others are out of the question.
        FakeScorer scorer = new FakeScorer(64, window -> switch (window.scored()) {
            case 2 -> -2;
            case 5 -> -2.5;
            default -> -100;
        });

        TaskScore score = TaskScore.of(scorer, bytes, items, 0, 1, _ -> {});

        assertThat(score.accuracy()).isCloseTo(2.0 / 3, within(1e-12));
        assertThat(score.normalisedAccuracy()).isCloseTo(1.0 / 3, within(1e-12));
        assertThat(score.chance()).isCloseTo((0.5 + 0.5 + 0.25) / 3, within(1e-12));
        assertThat(score.standardError(0.5)).isCloseTo(Math.sqrt(0.25 / 3), within(1e-12));
        assertThat(score.cut()).isZero();
    }

    @Test
    void examplesAreOtherItemsDrawnWithTheSeedAndMoreBeginWithFewer() {
        List<TaskItem> items = IntStream.range(0, 6)
                .mapToObj(i -> new TaskItem(i + 1, "question " + i + ":", List.of("yes" + i, "no" + i), i % 2))
                .toList();
        List<String> one = prompts(items, 1, 5);
        List<String> five = prompts(items, 5, 5);
        Set<String> firstExamples = new HashSet<>();
        for (int i = 0; i < items.size(); i++) {
            String example = one.get(i).substring(0, one.get(i).indexOf("\n\n"));
            firstExamples.add(example);
            assertThat(five.get(i)).startsWith(example).endsWith("\n\nquestion " + i + ":");
            for (int other = 0; other < items.size(); other++) {
                String answered =
                        "question " + other + ": " + items.get(other).choices().get(other % 2) + "\n\n";
                assertThat(five.get(i).contains(answered)).isEqualTo(other != i);
            }
        }
        assertThat(firstExamples).hasSizeGreaterThan(1);
        assertThat(prompts(items, 5, 5)).isEqualTo(five);
        assertThat(prompts(items, 5, 6)).isNotEqualTo(five);
        assertThatThrownBy(() -> prompts(items, 6, 5))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--shots is 6 with 6 items");
    }

    @Test
    void whatIsTooLongLosesItsBeginningAndIsCounted() {
        TaskItem fits = new TaskItem(1, "abcdef", List.of("gh", "ij"), 0);
        TaskItem cut = new TaskItem(2, "abcdefg", List.of("hij", "k"), 0);
        FakeScorer scorer = new FakeScorer(8, _ -> 0);

        TaskScore score = TaskScore.of(scorer, bytes, List.of(fits, cut), 0, 1, _ -> {});

        assertThat(score.cut()).isEqualTo(1);
        assertThat(shown(scorer)).containsExactly("abcdef| gh", "abcdef| ij", "cdefg| hij", "abcdefg| k");
        TaskItem hopeless = new TaskItem(9, "a", List.of("0123456789", "b"), 0);
        assertThatThrownBy(() -> TaskScore.of(scorer, bytes, List.of(hopeless), 0, 1, _ -> {}))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("line 9")
                .hasMessageContaining("11 tokens");
    }

    private List<TaskItem> read(String... lines) throws IOException {
        return TaskItem.read(Files.writeString(folder.resolve("task.jsonl"), String.join("\n", lines)));
    }

    private List<String> seen(TaskItem item, int shots) {
        FakeScorer scorer = new FakeScorer(64, _ -> 0);
        TaskScore.of(scorer, bytes, List.of(item), shots, 1, _ -> {});
        return shown(scorer);
    }

    /** The prompt of each item's first choice. */
    private List<String> prompts(List<TaskItem> items, int shots, long seed) {
        FakeScorer scorer = new FakeScorer(1000, _ -> 0);
        TaskScore.of(scorer, bytes, items, shots, seed, _ -> {});
        return IntStream.range(0, items.size())
                .mapToObj(i -> shown(scorer).get(2 * i))
                .map(text -> text.substring(0, text.indexOf('|')))
                .toList();
    }

    /** Prompt and continuation of every window, with a bar between them. */
    private List<String> shown(FakeScorer scorer) {
        return scorer.seen.stream()
                .map(window -> text(window.tokens(), 0, window.from()) + "|"
                        + text(window.tokens(), window.from(), window.tokens().length))
                .toList();
    }

    private String text(int[] tokens, int from, int to) {
        return bytes.decode(Arrays.copyOfRange(tokens, from, to), true);
    }
}
