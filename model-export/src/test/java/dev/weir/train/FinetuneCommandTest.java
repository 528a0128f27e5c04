package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class FinetuneCommandTest {
    private static final GptConfig CONFIG = new GptConfig(2, 2, 32, 40, 275, 0.2);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private Path base = Path.of("");
    private Path train = Path.of("");
    private Path dev = Path.of("");

    private record Outcome(int exitCode, String output, String errors) {}

    @BeforeEach
    void aCheckpointAndATask() throws IOException {
        base = checkpoint("base", CONFIG);
        train = write("train.tsv", rows(40));
        dev = write("dev.tsv", rows(10));
    }

    private static String rows(int count) {
        StringBuilder rows = new StringBuilder("sentence\tlabel\n");
        for (int i = 0; i < count; i++) {
            rows.append(i % 2 == 0 ? "a good wheel " : "a bad stone ").append(i).append('\t');
            rows.append(i % 2 == 0 ? "yes" : "no").append('\n');
        }
        return rows.toString();
    }

    @Test
    void aRunLeavesItsBestAndLastModelsItsMetricsAndAReport() throws IOException {
        Outcome outcome = finetune("--epochs", "2", "--log-every", "2");

        assertThat(outcome.errors()).isEmpty();
        assertThat(outcome.exitCode()).isZero();
        assertThat(outcome.output())
                .contains("learning-rate      0.003", "classification with the labels no, yes; 40 training and 10 dev")
                .contains("step 1/10  loss ", "step 2/10", "epoch 2: dev loss ", "the best so far")
                .contains("done: 10 steps", "language loss on the texts of dev.tsv: ");
        Path run = folder.resolve("run");
        try (Stream<Path> files = Files.list(run)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "best", "last", "metrics.jsonl", "report.json", "tokenizer.json", "tokenizer_config.json");
        }
        List<String> lines = Files.readAllLines(run.resolve("metrics.jsonl"));
        assertThat(lines).hasSize(12);
        assertThat(json(lines.getFirst()).path("task_loss").asDouble()).isBetween(0.1, 3.0);
        JsonNode report = json(Files.readString(run.resolve("report.json")));
        assertThat(json(lines.getLast())).isEqualTo(report.path("last"));
        assertThat(report.at("/best/dev/accuracy").asDouble()).isBetween(0.5, 1.0);
        assertThat(report.at("/labels")).extracting(JsonNode::asText).containsExactly("no", "yes");
        assertThat(report.at("/train/examples").asInt()).isEqualTo(40);
        assertThat(report.at("/text_loss_before").asDouble()).isBetween(3.0, 9.0);
        Checkpoint best = Checkpoint.open(run.resolve("best"));
        assertThat(best.head()).contains(new TaskHead(FinetuneTask.CLASSIFICATION, List.of("no", "yes")));
        // The tokenizer has 270 tokens and the model rows for 275: the new ones take three of those.
        assertThat(best.config()).isEqualTo(CONFIG.withDropout(0.1));
        assertThat(TaskTokens.of(Tokenizer.load(run.resolve("best")))).isEqualTo(new TaskTokens(270, 271, 272));
        assertThat(run.resolve("best/README.md"))
                .content()
                .contains("./weir finetune --checkpoint " + base, "dev.tsv (SHA-256", "Labels: no, yes.", "| 1 | ")
                .contains("# Before that", "by candlelight");
        assertThat(run.resolve("best/chat_template.jinja")).hasContent("{{ messages }}");
    }

    @Test
    void forgettingIsWhatEvalMeasures() throws IOException {
        Path text = write("plain.txt", "the miller turns the wheel and the wheel turns the stone\n".repeat(3));

        assertThat(finetune("--text", text.toString()).exitCode()).isZero();

        JsonNode report = json(Files.readString(folder.resolve("run/report.json")));
        assertThat(report.path("text").asText()).isEqualTo("plain.txt");
        assertThat(report.path("text_loss_before").asDouble()).isCloseTo(loss(base, text), within(1e-6));
        assertThat(report.at("/best/text_loss").asDouble())
                .isCloseTo(loss(folder.resolve("run/best"), text), within(1e-6))
                .isNotCloseTo(report.path("text_loss_before").asDouble(), within(1e-3));
    }

    private double loss(Path model, Path text) throws IOException {
        Path result = folder.resolve("loss.json");
        Outcome outcome = run(
                "eval",
                "--model",
                model.toString(),
                "--data",
                text.toString(),
                "--json",
                result.toString(),
                "--threads",
                "1");
        assertThat(outcome.errors()).isEmpty();
        return json(Files.readString(result)).at("/data/loss").asDouble();
    }

    @Test
    void aTunedModelIsTunedFurtherWithTheSameTokens() throws IOException {
        assertThat(finetune().exitCode()).isZero();
        Path first = folder.resolve("run/best");
        Path next = folder.resolve("next");

        Outcome outcome = finetune(
                "--checkpoint",
                first.toString(),
                "--out",
                next.toString(),
                "--task",
                "regression",
                "--train",
                write("train.jsonl", SmallTasks.lines(FinetuneTask.REGRESSION, 12))
                        .toString(),
                "--dev",
                write("dev.jsonl", SmallTasks.lines(FinetuneTask.REGRESSION, 12))
                        .toString(),
                "--freeze",
                "2");

        assertThat(outcome.errors()).isEmpty();
        assertThat(next.resolve("best/tokenizer.json")).hasSameTextualContentAs(first.resolve("tokenizer.json"));
        Checkpoint before = Checkpoint.open(first);
        Checkpoint after = Checkpoint.open(next.resolve("best"));
        assertThat(after.config()).isEqualTo(before.config());
        assertThat(after.head()).contains(new TaskHead(FinetuneTask.REGRESSION, List.of()));
        assertThat(after.tensor("wte.weight")).isEqualTo(before.tensor("wte.weight"));
        assertThat(after.tensor("h.1.mlp.c_fc.weight")).isEqualTo(before.tensor("h.1.mlp.c_fc.weight"));
    }

    @Test
    void aLowRankRunLeavesTheMergedModelAndItsAdapterForTheSameBase() throws IOException {
        Outcome outcome = finetune("--lora-rank", "4", "--epochs", "2");

        assertThat(outcome.errors()).isEmpty();
        assertThat(outcome.output())
                .contains("lora-rank          4", "lora-alpha         8.0", "39,714 weights, of which 4,258 learn")
                .contains("done: 10 steps");
        Path best = folder.resolve("run/best");
        assertThat(Checkpoint.open(best).tensor("h.0.mlp.c_fc.weight"))
                .isNotEqualTo(Checkpoint.open(base).tensor("h.0.mlp.c_fc.weight"));
        assertThat(Checkpoint.open(best).tensor("ln_f.bias"))
                .isEqualTo(Checkpoint.open(base).tensor("ln_f.bias"));
        assertThat(best.resolve("README.md")).content().contains("LoRA", "`adapter/`", "lora-rank 4, lora-alpha 8.0");

        Outcome exported = run(
                "export",
                "--checkpoint",
                base.toString(),
                "--adapter",
                best.toString(),
                "--out",
                folder.resolve("model").toString());

        assertThat(exported.errors()).isEmpty();
        assertThat(exported.output()).contains("`run.onnx_adapter`, rank 4, alpha 8.0, against libtorch");
        assertThat(folder.resolve("model/run.onnx_adapter")).isNotEmptyFile();
    }

    @Test
    void fromScratchNothingIsLeftOfTheCheckpointButItsShape() throws IOException {
        assertThat(finetune("--scratch", "--epochs", "1").exitCode()).isZero();

        Checkpoint scratch = Checkpoint.open(folder.resolve("run/last"));
        float[] random = new RandomGptWeights(CONFIG, 1).tensor("h.0.mlp.c_fc.weight");
        float[] trained = Checkpoint.open(base).tensor("h.0.mlp.c_fc.weight");
        float[] now = scratch.tensor("h.0.mlp.c_fc.weight");
        assertThat(LogProbabilities.cosine(now, random)).isGreaterThan(0.7);
        assertThat(LogProbabilities.cosine(now, trained)).isLessThan(0.3);
        assertThat(folder.resolve("run/last/README.md"))
                .content()
                .contains("Trained from random weights")
                .doesNotContain("Before that");
    }

    @Test
    void longExamplesAreCutAndCountedOnce() throws IOException {
        write("train.tsv", rows(4) + "a wheel ".repeat(30) + "\tyes\n" + "a stone ".repeat(30) + "\tno\n");

        Outcome outcome = finetune("--epochs", "1");

        assertThat(outcome.output()).containsOnlyOnce("2 of these examples are longer than the context of 40 tokens");
        assertThat(json(Files.readString(folder.resolve("run/report.json")))
                        .path("cut")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void mistakesAreOneLineThatNamesTheRemedyAndLeaveNothing() throws IOException {
        refused(finetune("--task", "translation"), "--task is \"translation\"", "multiple-choice");
        refused(finetune("--lambda", "-1"), "--lambda is -1.0");
        refused(finetune("--epochs", "0"), "--epochs is 0");
        refused(finetune("--batch", "0"), "--batch is 0");
        refused(finetune("--learning-rate", "0"), "--learning-rate is 0.0");
        refused(finetune("--warm-up", "1"), "--warm-up is 1.0");
        refused(finetune("--freeze", "3"), "--freeze is 3", "2 blocks");
        refused(finetune("--scratch", "--freeze", "1"), "--scratch", "--freeze");
        refused(finetune("--lora-rank", "0"), "--lora-rank is 0: it must be at least 1");
        refused(finetune("--lora-rank", "33"), "--lora-rank is 33", "width, 32");
        refused(finetune("--lora-rank", "2", "--lora-alpha", "0"), "--lora-alpha is 0.0");
        refused(finetune("--lora-alpha", "4"), "--lora-alpha is 4.0, but there is no --lora-rank");
        refused(finetune("--lora-rank", "2", "--freeze", "1"), "--lora-rank keeps", "leave out", "--freeze");
        refused(finetune("--dropout", "1"), "dropout is 1.0");
        refused(finetune("--matmul", "fp8"), "--matmul is \"fp8\"");
        refused(finetune("--threads", "0"), "--threads is 0");
        refused(finetune("--checkpoint", folder.toString()), "has no config.json");
        refused(
                finetune(
                        "--dev", write("other.tsv", "text\tlabel\na\tperhaps\n").toString()),
                "other.tsv, line 2");
        refused(finetune("--text", write("t.txt", "x").toString()), "t.txt has 1 tokens", "--text");
        refused(finetune("--train", folder.resolve("none").toString()), "--train is", "no file");
        Path backwards = checkpoint("backwards", CONFIG.withDirection(Direction.RTL));
        refused(finetune("--checkpoint", backwards.toString()), "reads right to left");
        assertThat(folder.resolve("run")).doesNotExist();
        assertThat(finetune("--epochs", "1").exitCode()).isZero();
        refused(finetune(), "--out is " + folder.resolve("run"), "another folder");
    }

    private static void refused(Outcome outcome, String... parts) {
        assertThat(outcome.errors()).contains(parts).doesNotContain("\tat ");
        assertThat(outcome.exitCode()).isEqualTo(2);
    }

    private Outcome finetune(String... more) {
        List<String> args = new ArrayList<>(List.of("finetune", "--checkpoint", base.toString()));
        args.addAll(List.of("--task", "classification", "--train", train.toString(), "--dev", dev.toString()));
        args.addAll(List.of("--out", folder.resolve("run").toString(), "--batch", "8", "--threads", "1"));
        args.addAll(List.of("--learning-rate", "3e-3", "--matmul", "fp32"));
        args.addAll(Arrays.asList(more));
        return run(args.toArray(String[]::new));
    }

    private static Outcome run(String... args) {
        StringWriter output = new StringWriter();
        StringWriter errors = new StringWriter();
        CommandLine commandLine = TrainMain.commandLine().setOverwrittenOptionsAllowed(true);
        commandLine.setOut(new PrintWriter(output, true)).setErr(new PrintWriter(errors, true));
        return new Outcome(commandLine.execute(args), output.toString(), errors.toString());
    }

    private Path checkpoint(String name, GptConfig config) throws IOException {
        Path checkpoint = folder.resolve(name);
        Checkpoint.write(checkpoint, new NoisyGptWeights(config, 4), OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
        Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(config.context()));
        Files.writeString(checkpoint.resolve("chat_template.jinja"), "{{ messages }}");
        Files.writeString(checkpoint.resolve("README.md"), "## Training\n\nby candlelight\n");
        return checkpoint;
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }

    private static JsonNode json(String text) throws IOException {
        return new ObjectMapper().readTree(text);
    }
}
