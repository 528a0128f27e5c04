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
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class EvalCommandTest {
    private static final GptConfig CONFIG = new GptConfig(2, 2, 32, 16, 270, 0).withWindow(5);

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private Path data;
    private Path task;

    @BeforeEach
    void aTextAndATask() throws IOException {
        data = Files.writeString(folder.resolve("data.txt"), "The miller turns the wheel.\n".repeat(9));
        task = Files.writeString(folder.resolve("task.jsonl"), """
                {"context": "The miller turns the", "choices": ["wheel", "stone"], "answer": 0}
                {"context": "The wheel turns the", "choices": ["wheel", "stone"], "answer": "stone"}
                {"prompt": "Water turns the", "choices": ["wheel", "stone", "miller"], "answer": 0}
                """);
    }

    @ParameterizedTest
    @EnumSource(Direction.class)
    void anExportedModelAndItsCheckpointHaveTheLossThatTrainingWouldReport(Direction direction) throws IOException {
        GptConfig config = CONFIG.withDirection(direction);
        checkpoint("best", config);
        assertThat(run("export", "--checkpoint", path("best"), "--precision", "fp32", "--out", path("model")))
                .as(err.toString())
                .isZero();

        JsonNode exported = eval("model", "--data", data.toString());
        JsonNode trained = eval("best", "--data", data.toString());

        double expected = lossInTraining(config);
        assertThat(trained.at("/data/loss").asDouble()).isCloseTo(expected, within(1e-5));
        assertThat(exported.at("/data/loss").asDouble()).isCloseTo(expected, within(1e-4));
        assertThat(exported.at("/kind").asText()).contains("ONNX Runtime");
        assertThat(trained.at("/kind").asText()).contains("libtorch");
        assertThat(exported.at("/direction").asText()).isEqualTo(direction.label());
        assertThat(exported.at("/data/perplexity").asDouble()).isCloseTo(Math.exp(expected), within(0.1));
        assertThat(exported.at("/data/tokens").asInt()).isEqualTo(tokens(config).length - 1);
        assertThat(out.toString()).contains("nats per token, perplexity", "stride 16", "data.txt (SHA-256");
    }

    @Test
    void aSmallerStrideIsADifferentMeasure() throws IOException {
        checkpoint("best", CONFIG);

        JsonNode sideBySide = eval("best", "--data", data.toString());
        JsonNode sliding = eval("best", "--data", data.toString(), "--stride", "4");

        assertThat(sliding.at("/data/stride").asInt()).isEqualTo(4);
        assertThat(sliding.at("/data/tokens")).isEqualTo(sideBySide.at("/data/tokens"));
        assertThat(sliding.at("/data/loss").asDouble())
                .isNotEqualTo(sideBySide.at("/data/loss").asDouble());
    }

    @Test
    void aTaskHasAResultForEachNumberOfShots() throws IOException {
        checkpoint("best", CONFIG);
        assertThat(run("export", "--checkpoint", path("best"), "--out", path("model")))
                .as(err.toString())
                .isZero();

        JsonNode exported = eval("model", "--task", task.toString(), "--shots", "0,2", "--seed", "4");
        JsonNode trained = eval("best", "--task", task.toString(), "--shots", "0,2", "--seed", "4");

        assertThat(exported.at("/task/results")).hasSize(2).isEqualTo(trained.at("/task/results"));
        assertThat(exported.at("/task/items").asInt()).isEqualTo(3);
        assertThat(exported.at("/task/results/1/shots").asInt()).isEqualTo(2);
        assertThat(exported.at("/task/results/1/cut").asInt()).isEqualTo(3);
        assertThat(exported.at("/task/results/0/chance").asDouble()).isCloseTo(4.0 / 9, within(1e-9));
        assertThat(exported.has("data")).isFalse();
        assertThat(out.toString()).contains("0-shot: accuracy", "2-shot: accuracy", "items were cut");
    }

    @Test
    void mistakesAreOneLineThatNamesTheRemedy() throws IOException {
        checkpoint("best", CONFIG);
        refused("--data FILE, --task FILE, --classify FILE, --chat FILE or several", "--model", path("best"));
        refused(
                "neither genai_config.json nor model.safetensors",
                "--model",
                folder.toString(),
                "--data",
                data.toString());
        refused("--data is " + path("none"), "--model", path("best"), "--data", path("none"));
        refused("--stride is 17", "--model", path("best"), "--data", data.toString(), "--stride", "17");
        refused("--shots is 3", "--model", path("best"), "--task", task.toString(), "--shots", "0,3");
        refused("--json is", "--model", path("best"), "--data", data.toString(), "--json", path("no/such/file"));
        Files.writeString(task, Files.readString(task) + "{\"choices\": [\"b\", \"c\"], \"answer\": 0}\n");
        refused("task.jsonl, line 4: has no context", "--model", path("best"), "--task", task.toString());
        checkpoint("backwards", CONFIG.withDirection(Direction.RTL));
        Files.writeString(task, "{\"context\": \"a\", \"choices\": [\"b\", \"c\"], \"answer\": 1}");
        refused("reads right to left", "--model", path("backwards"), "--task", task.toString());
        Files.writeString(folder.resolve("best/tokenizer.json"), RandomTokenizer.json(300));
        refused("300 tokens but the model only 270", "--model", path("best"), "--data", data.toString());
    }

    private void checkpoint(String name, GptConfig config) throws IOException {
        Path checkpoint = folder.resolve(name);
        Checkpoint.write(checkpoint, new NoisyGptWeights(config, 4), OptionalInt.of(269));
        Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
        Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(16));
    }

    /** The loss of the same text as a held-out part, looked at by a training run. */
    private double lossInTraining(GptConfig config) throws IOException {
        int[] tokens = tokens(config);
        Tokenizer tokenizer = Tokenizer.load(folder.resolve("best"));
        TokenizedText text = new TokenizedText(tokens, tokens, tokenizer);
        double nats = 0;
        ReferenceModel reference = new ReferenceForward(new NoisyGptWeights(config, 4));
        for (TokenBatch batch : text.validationBatches(1, config.context(), Integer.MAX_VALUE)) {
            int[] ids = Arrays.stream(batch.ids()).mapToInt(id -> (int) id).toArray();
            float[][] logits = reference.logits(ids);
            for (int i = 0; i < ids.length; i++) {
                nats += LogProbabilities.loss(logits[i], (int) batch.targets()[i]);
            }
        }
        return nats / (tokens.length - 1);
    }

    private int[] tokens(GptConfig config) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(folder.resolve("best"));
        return config.direction().order(tokenizer.encode(Files.readString(data), true), tokenizer.eosId());
    }

    private JsonNode eval(String model, String... more) throws IOException {
        Path json = folder.resolve("result.json");
        List<String> arguments = new ArrayList<>(List.of("eval", "--model", path(model), "--threads", "1"));
        arguments.addAll(List.of("--json", json.toString()));
        arguments.addAll(List.of(more));
        assertThat(run(arguments.toArray(String[]::new))).as(err.toString()).isZero();
        return new ObjectMapper().readTree(json.toFile());
    }

    private void refused(String message, String... options) {
        StringWriter errors = new StringWriter();
        List<String> arguments = new ArrayList<>(List.of("eval"));
        arguments.addAll(List.of(options));
        int exit = TrainMain.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(errors, true))
                .execute(arguments.toArray(String[]::new));
        assertThat(errors.toString()).contains(message).doesNotContain("\tat ");
        assertThat(exit).isEqualTo(2);
    }

    private int run(String... arguments) {
        return TrainMain.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
