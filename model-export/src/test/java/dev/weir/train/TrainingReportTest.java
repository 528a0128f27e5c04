package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SplittableRandom;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

class TrainingReportTest {
    private static final TrainingState.Progress PROGRESS = new TrainingState.Progress(4, 2.5, 4, 10);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private Tokenizer tokenizer;

    @BeforeEach
    void oneTokenForEachByte() throws IOException {
        Torch.configure(1);
        BpeTrainer.train("", 257, List.of("<|endoftext|>")).write(folder);
        tokenizer = Tokenizer.load(folder);
    }

    @Test
    void aResumedRunHasItsWholeCurveAndEverySample() throws Exception {
        PretrainConfig config = config();
        boolean[] stop = {false};
        Pretrainer first = Pretrainer.start(config, text(), runFolder(config, 8));
        assertThat(first.run(() -> {
                    boolean now = stop[0];
                    stop[0] = first.progress().step() == 6;
                    return now;
                }))
                .isFalse();
        Document before = parse();
        assertThat(points(before, "faint", 0)).hasSize(7);
        assertThat(elements(before, "circle")).hasSize(1);

        TrainingState.Saved saved = TrainingState.load(RunFolder.last(folder), "d");
        RunFolder run = runFolder(config, 8);
        run.rewind(saved.progress().step());
        assertThat(Pretrainer.resume(config, text(), null, saved, run, Peers.NONE)
                        .run(() -> false))
                .isTrue();
        Document after = parse();
        for (int chart = 0; chart < 2; chart++) {
            assertThat(points(after, "faint", chart)).hasSize(12);
        }
        for (int chart = 0; chart < 4; chart++) {
            assertThat(points(after, "one", chart)).hasSize(12);
        }
        assertThat(points(after, "two", 0)).hasSize(3);
        assertThat(elements(after, "circle")).hasSize(3);
        assertThat(elements(after, "div"))
                .filteredOn(e -> e.hasAttribute("dir"))
                .hasSize(3);
        assertThat(after.getDocumentElement().getTextContent()).contains("12 of 12", "three files: 400 tokens");
    }

    @Test
    void samplesLeaveTheTrainingAsItIs() throws Exception {
        Pretrainer.start(config(), text(), runFolder(config(), 0)).run(() -> false);
        List<Double> without = losses();
        Files.delete(folder.resolve("metrics.jsonl"));
        Pretrainer.start(config(), text(), runFolder(config(), 8)).run(() -> false);
        assertThat(losses()).hasSize(12).isEqualTo(without);
    }

    private List<Double> losses() throws IOException {
        return RunMetrics.read(folder.resolve("metrics.jsonl")).steps().stream()
                .map(RunMetrics.Step::loss)
                .toList();
    }

    @Test
    void whatAModelWroteIsTextWhateverItIs() throws Exception {
        String sample = "\n</div><script>alert(\"1\")</script>&amp;<!-- \u0000\u001b\uFFFE ]]> \uD800 é🙂";
        Document page = write(metrics(4, sample), "</svg><b>final</b>");
        assertThat(elements(page, "script")).isEmpty();
        assertThat(elements(page, "b")).isEmpty();
        List<String> samples = elements(page, "div").stream()
                .filter(element -> element.hasAttribute("dir"))
                .map(Element::getTextContent)
                .toList();
        assertThat(samples)
                .containsExactly(
                        "</svg><b>final</b>",
                        "</div><script>alert(\"1\")</script>&amp;<!-- \uFFFD\uFFFD\uFFFD ]]> \uFFFD é🙂");
    }

    @Test
    void aLongRunIsDrawnWithFewPointsToItsEnd() throws Exception {
        Document page = write(metrics(100_000, "a"), "");
        assertThat(points(page, "one", 0)).hasSize(400);
        // 440 wide, less 20 to the right of the last step.
        assertThat(points(page, "one", 0).getLast()).startsWith("420.0,");
        assertThat(points(page, "two", 0)).hasSize(100);
        assertThat(page.getDocumentElement().getTextContent()).contains("Loss from step 50,001");
        assertThat(elements(page, "div")).filteredOn(e -> e.hasAttribute("dir")).hasSize(40);
        assertThat(elements(page, "tbody").getFirst().getElementsByTagName("tr").getLength())
                .isEqualTo(10_000);
        assertThat(folder.resolve("report.html")).content().hasSizeLessThan(2_000_000);
    }

    @Test
    void thePageNeedsNothingButItself() throws Exception {
        Document page = write(metrics(4, "a"), "b");
        NodeList all = page.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            Element element = (Element) all.item(i);
            for (String name : List.of("src", "href", "onload", "style")) {
                assertThat(element.hasAttribute(name)).as(element.getTagName()).isFalse();
            }
        }
        // HTML takes the text of a style as it is, XML does not: only without these are they the same.
        String style = elements(page, "style").getFirst().getTextContent();
        assertThat(style).doesNotContainPattern("[<>&]").doesNotContain("url(", "@import");
        assertThat(style).contains("prefers-color-scheme: dark");
    }

    @Test
    void aRunWithoutAStepHasAReport() throws Exception {
        Document page = write(new RunMetrics(List.of(), List.of()), "");
        assertThat(elements(page, "svg")).isEmpty();
        assertThat(elements(page, "figure"))
                .hasSize(4)
                .allMatch(e -> e.getTextContent().contains("nothing yet"));
    }

    @Test
    void halfALineOfMetricsIsLeftOut() throws IOException {
        Path file = Files.writeString(folder.resolve("metrics.jsonl"), """
                {"step":1,"loss":3.0,"learning_rate":0.1,"gradient_norm":2.0,"seconds":0.5}
                {"step":2,"loss":1.0,"learning_rate":0.2,"gradient_norm":1.0,"seconds":0.5}
                {"step":2,"validation_loss":1.5,"bits_per_byte":0.7,"training_seconds":1.0,"sample":"\\n}"}
                {"step":3,"loss":0.5,"learning_rate":0.2,"gradient_norm":1.0,"seconds":0.5}
                {"step":3,"validation_loss":1.25,"bits_per_byte":0.6,"training_seconds":1.5}
                {"step":3,"validation_lo""");
        RunMetrics metrics = RunMetrics.read(file);
        assertThat(metrics.steps()).hasSize(3).contains(new RunMetrics.Step(2, 1, 0.2, 1, 0.5));
        assertThat(metrics.looks())
                .containsExactly(
                        new RunMetrics.Look(2, 2, 1.5, 0.7, Double.NaN, "\n}"),
                        new RunMetrics.Look(3, 0.5, 1.25, 0.6, Double.NaN, ""));
    }

    private static RunMetrics metrics(int steps, String sample) {
        List<RunMetrics.Step> all = new ArrayList<>();
        List<RunMetrics.Look> looks = new ArrayList<>();
        for (int step = 1; step <= steps; step++) {
            all.add(new RunMetrics.Step(step, 5.0 / step, 1e-3, 1, 0.01));
            if (step % 10 == 0 || step == steps) {
                looks.add(new RunMetrics.Look(step, 5.0 / step, 5.5 / step, 2, Double.NaN, sample));
            }
        }
        return new RunMetrics(all, looks);
    }

    private Document write(RunMetrics metrics, String samples) throws Exception {
        report(config()).write(folder, metrics, PROGRESS, samples);
        return parse();
    }

    private RunFolder runFolder(PretrainConfig config, int sampleTokens) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        ShortSample sample = new ShortSample("<a & b>", sampleTokens, 1);
        return new RunFolder(folder, config, tokenizer, "d", report(config), sample, nowhere, 100);
    }

    private TrainingReport report(PretrainConfig config) {
        TrainingCard card = new TrainingCard(
                "./weir pretrain --data 'a&b'",
                TrainingCard.PREDICTING,
                "three files: 400 tokens",
                "",
                new LinkedHashMap<>(config.describe()),
                "");
        return new TrainingReport(card, text(), config);
    }

    private TokenizedText text() {
        SplittableRandom random = new SplittableRandom(3);
        return new TokenizedText(
                random.ints(400, 0, 256).toArray(), random.ints(60, 0, 256).toArray(), tokenizer);
    }

    private static PretrainConfig config() {
        GptConfig model = new GptConfig(1, 2, 32, 16, 257, 0.1);
        LearningRateSchedule schedule = new LearningRateSchedule(1e-2, 1e-3, 4, 12);
        return new PretrainConfig(model, 12, 4, 1, schedule, 0.9, 0.99, 0.1, 1.0, 5, 8, Matmul.FP32, 1, null, 11);
    }

    private Document parse() throws IOException, ParserConfigurationException, SAXException {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(folder.resolve("report.html").toFile());
    }

    private static List<Element> elements(Document page, String tag) {
        NodeList found = page.getElementsByTagName(tag);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < found.getLength(); i++) {
            elements.add((Element) found.item(i));
        }
        return elements;
    }

    /** Where the line of that style goes in the chart that is the {@code index}-th with such a line. */
    private static List<String> points(Document page, String style, int index) {
        Element line = elements(page, "polyline").stream()
                .filter(element -> element.getAttribute("class").equals(style))
                .toList()
                .get(index);
        return List.of(line.getAttribute("points").split(" "));
    }
}
