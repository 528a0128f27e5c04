package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LabelledFileTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @Test
    void aHeaderNamesTheColumnsInAnyOrderAmongOthers() throws IOException {
        LabelledFile file = read(
                FinetuneTask.ENTAILMENT,
                "a.tsv",
                "\uFEFFindex\tLabel\thypothesis\tpremise\r\n0\tyes\tit moves\tthe wheel turns\r\n\r\n1\tno\tb\ta\r\n");

        assertThat(file.rows())
                .containsExactly(
                        new LabelledText(2, List.of("the wheel turns", "it moves"), "yes"),
                        new LabelledText(4, List.of("a", "b"), "no"));
        assertThat(file.head().labels()).containsExactly("no", "yes");
        assertThat(file.plainText()).isEqualTo("the wheel turns\nit moves\na\nb\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"sentence\tlabel\ngood\t1\nbad\t0\n", "good\t1\nbad\t0\nworse\t0\nbest\t1"})
    void sentimentTreebanksComeWithAHeaderAndWithout(String content) throws IOException {
        LabelledFile file = read(FinetuneTask.CLASSIFICATION, "sst2.tsv", content);

        assertThat(file.rows()).extracting(LabelledText::target).startsWith("1", "0");
        assertThat(file.rows().getFirst().texts()).containsExactly("good");
        assertThat(file.head().labels()).containsExactly("0", "1");
    }

    @Test
    void quotesAreTextLikeAnyOther() throws IOException {
        LabelledFile file = read(FinetuneTask.CLASSIFICATION, "a.tsv", "text\tlabel\n\"so\"\ta\n\"b\"\tb\n");

        assertThat(file.rows().getFirst().texts()).containsExactly("\"so\"");
    }

    @Test
    void jsonLinesHaveTheSameNames() throws IOException {
        LabelledFile pairs = read(
                FinetuneTask.SIMILARITY,
                "pairs.txt",
                "{\"text1\": \"a\", \"text2\": \"b\", \"label\": 2.5}\n{\"sentence1\": \"c\", \"sentence2\": \"d\", \"score\": \"3\"}\n");
        assertThat(pairs.rows())
                .containsExactly(
                        new LabelledText(1, List.of("a", "b"), "2.5"), new LabelledText(2, List.of("c", "d"), "3"));
        assertThat(pairs.target(pairs.rows().getFirst(), pairs.head())).isEqualTo(2.5);

        LabelledFile choices = read(
                FinetuneTask.MULTIPLE_CHOICE,
                "q.jsonl",
                "{\"question\": \"why?\", \"choices\": [\"x\", \"y\", \"z\"], \"label\": 2}\n");
        assertThat(choices.rows().getFirst().texts()).containsExactly("why?", "x", "y", "z");
        assertThat(choices.target(choices.rows().getFirst(), choices.head())).isEqualTo(2);
        assertThat(choices.plainText()).isEqualTo("why? z\n");
        assertThat(choices.head().outputs()).isEqualTo(1);
    }

    @Test
    void labelsThatAreNumbersAreInTheirOrder() throws IOException {
        assertThat(read(FinetuneTask.CLASSIFICATION, "a.tsv", "text\tlabel\na\t10\nb\t9\nc\t-1\n")
                        .head()
                        .labels())
                .containsExactly("-1", "9", "10");
        assertThat(read(FinetuneTask.CLASSIFICATION, "a.tsv", "text\tlabel\na\t10\nb\t9\nc\tx\n")
                        .head()
                        .labels())
                .containsExactly("10", "9", "x");
    }

    @Test
    void mistakesNameFileLineFieldValueAndRemedy() throws IOException {
        FinetuneTask task = FinetuneTask.CLASSIFICATION;
        refused(task, "", "a.tsv", "holds no text");
        refused(task, "text\tlabel\n", "a header and no example", "add at least one row");
        refused(task, "text\tlabel\na\tx\nb\n", "a.tsv, line 3: label is missing", "column 2");
        refused(task, "text\tlabel\na\tx\nb\t \n", "line 3: label is missing");
        refused(task, "text\tlabel\na\tx\n\ty\n", "line 3: text is empty", "column 1");
        refused(task, "text\tlabel\na\tx\nb\tc\td\n", "line 3: has 3 columns where line 1 has 2");
        refused(task, "body\tlabel\na\tx\n", "line 1", "body, label", "no column text or sentence");
        refused(task, "a\tb\tc\n", "line 1: has neither the header text, label", "but 3");
        refused(task, "review\tsentiment\na\tx\nb\ty\nc\tx\nd\ty\n", "line 1", "\"sentiment\"", "if this is a header");
        refused(FinetuneTask.MULTIPLE_CHOICE, "question\tlabel\nwhy\t1\n", "is no JSON", "\"choices\"");
        assertThatThrownBy(
                        () -> read(task, "a.tsv", "text\tlabel\na\tx\nb\tx\n").head())
                .hasMessageContaining("one label \"x\"")
                .hasMessageContaining("at least two");
        Path latin1 = Files.write(
                folder.resolve("l.tsv"), "text\tlabel\ncaf\u00e9\tx\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> LabelledFile.read("--train", latin1, task))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("--train is " + latin1)
                .hasMessageContaining("byte 0xe9 at offset 14, in line 2")
                .hasMessageContaining("iconv");
    }

    @Test
    void mistakesInJsonNameTheLineToo() {
        FinetuneTask task = FinetuneTask.MULTIPLE_CHOICE;
        String good = "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"label\": 0}\n";
        refused(task, good + "{\"question\": \"q\"\n", "line 2: is not valid JSON");
        refused(task, good + "[1]\n", "line 2: is no JSON object", "\"choices\"");
        refused(task, good + "{\"choices\": [\"a\", \"b\"], \"label\": 0}", "line 2: question is missing");
        refused(task, good + "{\"question\": \"q\", \"choices\": [\"a\"], \"label\": 0}", "choices has 1");
        refused(task, good + "{\"question\": \"q\", \"choices\": [\"a\", 3], \"label\": 0}", "choices[1] is 3");
        refused(task, good + "{\"question\": \"q\", \"choices\": [\"a\", \"b\"]}", "line 2: label is missing");
        refused(task, good + "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"label\": null}", "label is null");
    }

    @Test
    void targetsAreCheckedAgainstTheHead() throws IOException {
        TaskHead head = read(FinetuneTask.CLASSIFICATION, "t.tsv", "text\tlabel\na\tx\nb\ty\n")
                .head();
        LabelledFile dev = read(FinetuneTask.CLASSIFICATION, "dev.tsv", "text\tlabel\na\tx\nb\tz\n");
        assertThatThrownBy(() -> dev.check(head))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("dev.tsv, line 3: label is \"z\"")
                .hasMessageContaining("x, y");

        LabelledFile scores = read(FinetuneTask.REGRESSION, "r.tsv", "text\tscore\na\t1e1\nb\tlots\n");
        assertThat(scores.target(scores.rows().getFirst(), scores.head())).isEqualTo(10);
        assertThatThrownBy(() -> scores.check(scores.head()))
                .hasMessageContaining("r.tsv, line 3: label is \"lots\"")
                .hasMessageContaining("a number")
                .hasMessageContaining("--task classification");
        LabelledFile infinite = read(FinetuneTask.SIMILARITY, "r.tsv", "text1\ttext2\tlabel\na\tb\tNaN\n");
        assertThatThrownBy(() -> infinite.check(infinite.head())).hasMessageContaining("label is \"NaN\"");

        LabelledFile choices = read(
                FinetuneTask.MULTIPLE_CHOICE,
                "q.jsonl",
                "{\"question\": \"q\", \"choices\": [\"a\", \"b\"], \"label\": 2}\n");
        assertThatThrownBy(() -> choices.check(choices.head()))
                .hasMessageContaining("line 1: label is \"2\"")
                .hasMessageContaining("0 to 1");
    }

    private void refused(FinetuneTask task, String content, String... parts) {
        String name = content.startsWith("{") ? "a.jsonl" : "a.tsv";
        assertThatThrownBy(() -> read(task, name, content))
                .isInstanceOf(UserError.class)
                .satisfies(error -> assertThat(error.getMessage()).contains(parts));
    }

    private LabelledFile read(FinetuneTask task, String name, String content) throws IOException {
        return LabelledFile.read("--train", Files.writeString(folder.resolve(name), content), task);
    }
}
