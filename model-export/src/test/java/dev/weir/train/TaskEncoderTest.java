package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the sequences of each task look like: in the tests' tokenizer a character is a token of its own. */
class TaskEncoderTest {
    private final Path folder;
    private final Tokenizer tokenizer;

    TaskEncoderTest(@TempDir Path temporary) throws IOException {
        folder = temporary;
        Path base = Files.createDirectory(temporary.resolve("base"));
        Files.writeString(base.resolve("tokenizer.json"), RandomTokenizer.json(257));
        Files.writeString(base.resolve("tokenizer_config.json"), RandomTokenizer.config(32));
        tokenizer = withTaskTokens(base, temporary.resolve("tuned"));
    }

    @Test
    void theTasksTokensComeAfterTheTokenizersOwnAndStay() throws IOException {
        assertThat(TaskTokens.of(tokenizer)).isEqualTo(new TaskTokens(257, 258, 259));
        assertThat(tokenizer.vocabularySize()).isEqualTo(260);
        assertThat(tokenizer.isSpecial(258)).isTrue();
        assertThat(tokenizer.eosId()).hasValue(256);
        assertThat(TaskTokens.missing(tokenizer)).isZero();
        // What a user writes is never one of them.
        assertThat(tokenizer.encode("<|extract|>")).hasSize(11);

        Tokenizer again = withTaskTokens(folder.resolve("tuned"), folder.resolve("again"));
        assertThat(TaskTokens.of(again)).isEqualTo(new TaskTokens(257, 258, 259));
        assertThat(again.vocabularySize()).isEqualTo(260);
        Tokenizer base = Tokenizer.load(folder.resolve("base"));
        assertThat(TaskTokens.missing(base)).isEqualTo(3);
        assertThatThrownBy(() -> TaskTokens.of(base))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("<|start|>");
    }

    @Test
    void newerFilesThatRepeatTheirAddedTokensRepeatTheseToo() throws IOException {
        Path trained = Files.createDirectory(folder.resolve("trained"));
        BpeTrainer.train("a wheel and a wheel", 260, List.of("<|endoftext|>")).write(trained);

        Map<String, String> files = TaskTokens.addTo(trained);

        assertThat(files.get("tokenizer_config.json")).contains("\"262\"", "\"<|extract|>\"", "\"259\"");
    }

    @Test
    void aTextStandsBetweenStartAndExtract() {
        assertThat(layouts(FinetuneTask.CLASSIFICATION, 32, "ab")).containsExactly("<ab>");
        assertThat(layouts(FinetuneTask.REGRESSION, 32, "ab")).containsExactly("<ab>");
    }

    @Test
    void aHypothesisFollowsItsPremise() {
        assertThat(layouts(FinetuneTask.ENTAILMENT, 32, "ab", "cd")).containsExactly("<ab|cd>");
    }

    @Test
    void similarTextsComeInBothOrders() {
        assertThat(layouts(FinetuneTask.SIMILARITY, 32, "ab", "cd")).containsExactly("<ab|cd>", "<cd|ab>");
    }

    @Test
    void eachChoiceFollowsTheQuestion() {
        assertThat(layouts(FinetuneTask.MULTIPLE_CHOICE, 32, "ab", "c", "de", "f"))
                .containsExactly("<ab|c>", "<ab|de>", "<ab|f>");
    }

    @Test
    void whatIsTooLongIsCutWhereItMattersLeast() {
        assertThat(layouts(FinetuneTask.CLASSIFICATION, 8, "abcdef")).containsExactly("<abcdef>");
        assertThat(layouts(FinetuneTask.CLASSIFICATION, 8, "abcdefg")).containsExactly("<abcdef>");
        // 12 - 3 tokens: the premise gives way first
        assertThat(layouts(FinetuneTask.ENTAILMENT, 12, "abcdefgh", "wxyz")).containsExactly("<abcde|wxyz>");
        // and keeps a quarter
        assertThat(layouts(FinetuneTask.ENTAILMENT, 12, "abcdefgh", "klmnopqrstuv"))
                .containsExactly("<ab|klmnopq>");
        assertThat(layouts(FinetuneTask.ENTAILMENT, 12, "a", "klmnopqrstuv")).containsExactly("<a|klmnopqr>");
        assertThat(layouts(FinetuneTask.SIMILARITY, 12, "abc", "klmnopqrstuv"))
                .containsExactly("<abc|klmnop>", "<klmnop|abc>");
        // The question's end is kept, and all choices follow the same.
        assertThat(layouts(FinetuneTask.MULTIPLE_CHOICE, 12, "abcdefgh", "xy", "uvwx"))
                .containsExactly("<defgh|xy>", "<defgh|uvwx>");
    }

    @Test
    void whatIsCutIsCounted() {
        assertThat(encode(FinetuneTask.CLASSIFICATION, 8, "abcdef").cut()).isFalse();
        assertThat(encode(FinetuneTask.CLASSIFICATION, 8, "abcdefg").cut()).isTrue();
        assertThat(encode(FinetuneTask.ENTAILMENT, 12, "abcde", "wxyz").cut()).isFalse();
        assertThat(encode(FinetuneTask.ENTAILMENT, 12, "a", "klmnopqrstuv").cut())
                .isTrue();
        assertThat(encode(FinetuneTask.SIMILARITY, 12, "abc", "klmnopqrstuv").cut())
                .isTrue();
        assertThat(encode(FinetuneTask.MULTIPLE_CHOICE, 12, "abcdefgh", "x", "uv")
                        .cut())
                .isTrue();
        assertThat(encode(FinetuneTask.MULTIPLE_CHOICE, 12, "abcdefg", "x", "uv")
                        .cut())
                .isFalse();
    }

    @Test
    void aContextWithoutRoomIsRefused() {
        assertThatThrownBy(() -> encode(FinetuneTask.CLASSIFICATION, 7, "a"))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("context is 7");
    }

    @Test
    void anEpochHasEachExampleOnceInAnOrderOfItsSeed() {
        List<TaskExample> examples = java.util.stream.IntStream.range(0, 1000)
                .mapToObj(i -> new TaskExample(new int[][] {new int[1 + i * 7 % 50]}, i, false))
                .toList();

        List<List<TaskExample>> batches = EpochOrder.batches(examples, TaskExample::longest, 16, 5, 1);

        assertThat(batches.stream().flatMap(List::stream)).containsExactlyInAnyOrderElementsOf(examples);
        assertThat(batches).hasSize(EpochOrder.steps(1000, 16)).allMatch(batch -> batch.size() <= 16);
        assertThat(EpochOrder.batches(examples, TaskExample::longest, 16, 5, 1)).isEqualTo(batches);
        assertThat(EpochOrder.batches(examples, TaskExample::longest, 16, 5, 2)).isNotEqualTo(batches);
        assertThat(EpochOrder.batches(examples, TaskExample::longest, 16, 6, 1)).isNotEqualTo(batches);
        // Examples of a batch have about one length, which saves padding.
        assertThat(padding(batches)).isLessThan(0.15);
        assertThat(padding(List.of(examples))).isGreaterThan(0.4);
    }

    private static double padding(List<List<TaskExample>> batches) {
        double padded = 0;
        double all = 0;
        for (List<TaskExample> batch : batches) {
            TaskBatch one = TaskBatch.of(batch);
            all += one.ids().length;
            padded += one.ids().length - one.tokens();
        }
        return padded / all;
    }

    private List<String> layouts(FinetuneTask task, int context, String... texts) {
        return Arrays.stream(encode(task, context, texts).sequences())
                .map(sequence -> tokenizer
                        .decode(sequence, true)
                        .replace("<|start|>", "<")
                        .replace("<|delimiter|>", "|")
                        .replace("<|extract|>", ">"))
                .toList();
    }

    private TaskExample encode(FinetuneTask task, int context, String... texts) {
        return new TaskEncoder(task, tokenizer, TaskTokens.of(tokenizer), context)
                .encode(new LabelledText(1, List.of(texts), ""), 0);
    }

    private static Tokenizer withTaskTokens(Path base, Path tuned) throws IOException {
        Files.createDirectories(tuned);
        for (Map.Entry<String, String> file : TaskTokens.addTo(base).entrySet()) {
            Files.writeString(tuned.resolve(file.getKey()), file.getValue());
        }
        return Tokenizer.load(tuned);
    }
}
