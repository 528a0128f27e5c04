package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.LongStream;
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
        JsonNode again = new ObjectMapper().readTree(result.toFile()).path("classify");
        assertThat(report.at("/best/dev")).isNotEmpty();
        report.at("/best/dev")
                .properties()
                .forEach(measure -> assertThat(again.path(measure.getKey()).asDouble())
                        .as(measure.getKey())
                        .isCloseTo(measure.getValue().asDouble(), within(1e-4)));
        assertThat(again.path("examples").asInt()).isEqualTo(12);
        assertThat(said).contains("12 examples of " + task.label());
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void anExportedModelGivesWhatTheHeadSays(GptConfig config) throws IOException, OrtException {
        Path tuned = checkpoint("tuned", SmallTasks.weights(config, FinetuneTask.CLASSIFICATION));
        Path exact = folder.resolve("fp32");
        Path small = folder.resolve("int8");
        done("export", "--checkpoint", tuned, "--out", exact);
        done("export", "--checkpoint", tuned, "--precision", "int8", "--out", small);
        TaskModel model = new TaskModel(new GptModel(GptParameters.frozen(Checkpoint.open(tuned))));
        int[] sequence = {7, 200, 31, 8, 8, 15, 90, 4, 5, 6, 77, 269};
        float[] expected = model.outputs(List.of(new TaskExample(new int[][] {sequence}, 0, false)))
                .getFirst();
        assertThat(expected[0]).isNotCloseTo(expected[1], within(0.5f));

        assertThat(classLogits(exact, config, sequence)).containsExactly(expected, within(1e-4f));
        assertThat(classLogits(small, config, sequence)).containsExactly(expected, within(0.3f));
        assertThat(exact.resolve("config.json")).content().contains("finetuning_task", "\"label2id\"");
        assertThat(exact.resolve("README.md"))
                .content()
                .contains("output `class_logits` after `<|start|>` text `<|extract|>`; labels a, b, c");
    }

    /** What the graph's second output is after one prefill. */
    private static float[] classLogits(Path model, GptConfig config, int[] sequence) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        long[] ids = Arrays.stream(sequence).asLongStream().toArray();
        long[] positions = LongStream.range(0, ids.length).toArray();
        long[] mask = new long[ids.length];
        Arrays.fill(mask, 1);
        Map<String, OnnxTensor> inputs = new HashMap<>();
        inputs.put("input_ids", OnnxTensor.createTensor(environment, new long[][] {ids}));
        inputs.put("position_ids", OnnxTensor.createTensor(environment, new long[][] {positions}));
        inputs.put("attention_mask", OnnxTensor.createTensor(environment, new long[][] {mask}));
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String part : List.of("key", "value")) {
                float[][][][] empty = new float[1][config.heads()][ids.length][config.headSize()];
                inputs.put("past_key_values." + layer + "." + part, OnnxTensor.createTensor(environment, empty));
            }
        }
        try (OrtSession session =
                        environment.createSession(model.resolve("model.onnx").toString());
                OrtSession.Result result = session.run(inputs, Set.of(GptGraph.CLASS_LOGITS))) {
            return ((float[][][]) result.get(0).getValue())[0][0];
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }

    @Test
    void onlyACheckpointWithAHeadIsAskedForItsLabels() throws IOException {
        Path dev = write("dev.tsv", "text\tlabel\nx\ta\n");
        Path base = checkpoint("base", new NoisyGptWeights(CONFIG, 4));
        refused("no head for a task", "eval", "--model", base, "--classify", dev);
        Path exported = folder.resolve("model");
        done("export", "--checkpoint", base, "--out", exported);
        refused("give the checkpoint", "eval", "--model", exported, "--classify", dev);
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
