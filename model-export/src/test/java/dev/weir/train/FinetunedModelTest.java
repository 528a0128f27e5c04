package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What becomes of a head after the run that trained it: eval asks it, export writes it into the graph. */
class FinetunedModelTest {
    private static final GptConfig CONFIG = new GptConfig(2, 2, 32, 40, 270, 0.2);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void aCheckpointOpensAgainAndDoesAsWell(FinetuneTask task) throws IOException {
        Path base = checkpoint("base", new NoisyGptWeights(CONFIG, 4));
        Path train = write("train.jsonl", SmallTasks.lines(task, 24));
        Path dev = write("dev.jsonl", SmallTasks.lines(task, 12));
        Path out = folder.resolve("run");
        List<Object> args = new ArrayList<>(List.of("finetune", "--checkpoint", base, "--task", task.label()));
        args.addAll(List.of("--train", train, "--dev", dev, "--out", out, "--threads", 1, "--matmul", "fp32"));
        done(args.toArray());
        Path result = folder.resolve("result.json");

        String said = done("eval", "--model", out.resolve("best"), "--classify", dev, "--json", result, "--threads", 1);

        JsonNode report = new ObjectMapper().readTree(out.resolve("report.json").toFile());
        assertSameMeasures(result, report.at("/best/dev"));
        assertThat(said).contains("12 examples of " + task.label());

        Path exported = folder.resolve("model");
        done("export", "--checkpoint", out.resolve("best"), "--out", exported);
        done("eval", "--model", exported, "--classify", dev, "--json", result, "--threads", 1);
        assertSameMeasures(result, report.at("/best/dev"));
        assertThat(exported.resolve("README.md")).content().contains("relative error of the head");
    }

    private static void assertSameMeasures(Path result, JsonNode expected) throws IOException {
        JsonNode actual = new ObjectMapper().readTree(result.toFile()).path("classify");
        assertThat(expected).isNotEmpty();
        expected.properties()
                .forEach(measure -> assertThat(actual.path(measure.getKey()).asDouble())
                        .as(measure.getKey())
                        .isCloseTo(measure.getValue().asDouble(), within(1e-4)));
        assertThat(actual.path("examples").asInt()).isEqualTo(12);
    }

    @ParameterizedTest
    @EnumSource(FinetuneTask.class)
    void anExportSaysWhatItsCheckpointSays(FinetuneTask task) throws IOException {
        GptWeights weights = SmallTasks.weights(CONFIG, task);
        Path exported = folder.resolve("model");
        done("export", "--checkpoint", checkpoint("tuned", weights), "--out", exported);
        List<TaskExample> examples = SmallTasks.examples(CONFIG, task);
        List<float[]> expected = new TaskModel(new GptModel(GptParameters.frozen(weights))).outputs(examples);

        try (OnnxTaskModel model = OnnxTaskModel.open(exported, SmallTasks.head(task), 0, 1)) {
            List<float[]> outputs = model.outputs(examples);
            for (int i = 0; i < examples.size(); i++) {
                assertThat(outputs.get(i)).containsExactly(expected.get(i), within(1e-4f));
            }
        }
    }

    @Test
    void aHeadThatDiffersIsNotAccepted() throws IOException {
        GptWeights weights = SmallTasks.weights(CONFIG, FinetuneTask.CLASSIFICATION);
        Path exported = folder.resolve("model");
        done("export", "--checkpoint", checkpoint("tuned", weights), "--out", exported);
        GptWeights other = GptWeights.of(CONFIG, weights.head(), name -> {
            float[] values = weights.tensor(name);
            values[0] += name.equals(TaskHead.BIAS) ? 0.01f : 0;
            return values;
        });
        List<int[]> texts = List.of(new int[] {3, 1, 4, 1, 5, 9, 2, 6}, new int[] {2, 7, 1, 8, 2, 8});

        AcceptanceCheck same = AcceptanceCheck.of(exported, new LibtorchLogits(weights), texts);
        AcceptanceCheck changed = AcceptanceCheck.of(exported, new LibtorchLogits(other), texts);

        assertThat(same.accepts(Precision.FP32)).as(same.toString()).isTrue();
        assertThat(changed.accepts(Precision.FP32)).as(changed.toString()).isFalse();
        assertThat(changed.largestDifference()).isEqualTo(same.largestDifference());
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void anExportedModelGivesWhatTheHeadSays(GptConfig config) throws IOException {
        Path tuned = checkpoint("tuned", SmallTasks.weights(config, FinetuneTask.CLASSIFICATION));
        Path exact = folder.resolve("fp32");
        Path small = folder.resolve("int8");
        done("export", "--checkpoint", tuned, "--out", exact);
        done("export", "--checkpoint", tuned, "--precision", "int8", "--out", small);
        TaskModel model = new TaskModel(new GptModel(GptParameters.frozen(Checkpoint.open(tuned))));
        int[] sequence = {7, 200, 31, 8, 8, 15, 90, 4, 5, 6, 77, 269};
        List<TaskExample> example = List.of(new TaskExample(new int[][] {sequence}, 0, false));
        float[] expected = model.outputs(example).getFirst();
        assertThat(expected[0]).isNotCloseTo(expected[1], within(0.5f));

        assertThat(classLogits(exact, model.head(), example)).containsExactly(expected, within(1e-4f));
        assertThat(classLogits(small, model.head(), example)).containsExactly(expected, within(0.3f));
        assertThat(exact.resolve("config.json")).content().contains("finetuning_task", "\"label2id\"");
        assertThat(exact.resolve("README.md"))
                .content()
                .contains("output `class_logits` after `<|start|>` text `<|extract|>`; labels a, b, c");
    }

    private static float[] classLogits(Path model, TaskHead head, List<TaskExample> example) {
        try (OnnxTaskModel exported = OnnxTaskModel.open(model, head, 0, 1)) {
            return exported.outputs(example).getFirst();
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void everyPrecisionIsAcceptedWithAHead(Precision precision) throws IOException {
        Path tuned = checkpoint("tuned", SmallTasks.weights(CONFIG, FinetuneTask.ENTAILMENT));
        Path model = folder.resolve("model");
        String target = precision == Precision.BF16 ? "cuda" : "cpu";

        String said = done(
                "export", "--checkpoint", tuned, "--target", target, "--precision", precision.label(), "--out", model);

        assertThat(said).contains("relative error of the head");
    }

    @Test
    void onlyAModelWithAHeadIsAskedForItsLabels() throws IOException {
        Path dev = write("dev.tsv", "text\tlabel\nx\ta\n");
        Path base = checkpoint("base", new NoisyGptWeights(CONFIG, 4));
        refused("no head for a task", "eval", "--model", base, "--classify", dev);
        Path exported = folder.resolve("model");
        done("export", "--checkpoint", base, "--out", exported);
        refused("no head for a task", "eval", "--model", exported, "--classify", dev);
        refused("--classify FILE", "eval", "--model", base);

        Path tuned = checkpoint("tuned", SmallTasks.weights(CONFIG, FinetuneTask.CLASSIFICATION));
        refused("no token <|start|>", "eval", "--model", tuned, "--classify", dev);
        Path other = write("other.tsv", "text\tlabel\nx\tperhaps\n");
        refused("which is not one of the labels trained on: a, b, c", "eval", "--model", tuned, "--classify", other);
        Path config = tuned.resolve("config.json");
        String whole = Files.readString(config);
        Files.writeString(config, whole.replace("finetuning_task", "forgotten"));
        refused("no finetuning_task", "eval", "--model", tuned, "--classify", dev);
        Files.writeString(config, whole.replace("id2label", "forgotten"));
        refused("id2label is missing", "eval", "--model", tuned, "--classify", dev);
    }

    private void refused(String expected, Object... args) {
        StringWriter errors = new StringWriter();
        assertThat(run(new StringWriter(), errors, args)).isEqualTo(2);
        assertThat(errors.toString()).contains(expected).doesNotContain("\tat ");
    }

    private String done(Object... args) {
        StringWriter output = new StringWriter();
        StringWriter errors = new StringWriter();
        assertThat(run(output, errors, args)).as(errors.toString()).isZero();
        return output.toString();
    }

    private static int run(StringWriter output, StringWriter errors, Object... args) {
        return TrainMain.commandLine()
                .setOut(new PrintWriter(output, true))
                .setErr(new PrintWriter(errors, true))
                .execute(Arrays.stream(args).map(String::valueOf).toArray(String[]::new));
    }

    private Path checkpoint(String name, GptWeights weights) throws IOException {
        Path checkpoint = folder.resolve(name);
        Checkpoint.write(checkpoint, weights, OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
        Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(40));
        return checkpoint;
    }

    private Path write(String name, String content) throws IOException {
        return Files.writeString(folder.resolve(name), content);
    }
}
