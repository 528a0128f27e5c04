package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.weir.onnx.FolderTask;
import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import dev.weir.server.ApiKey.Limits;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes of texts, with tiny models that the exporter wrote. */
final class ClassifyTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Path MODELS = Path.of("../src/onnx/src/test/resources/models");
    private static final Path LABELS = MODELS.resolve("tiny-classification");
    private static final List<String> TEXTS = List.of("What a film!", "no", "I left early, and so did everybody else.");

    private static FolderServer server;

    @BeforeAll
    static void start() {
        server = new FolderServer(LABELS, 0, null);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode json(HttpResponse<String> reply) {
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return tree(reply.body());
    }

    private static JsonNode tree(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String ask(List<String> texts) {
        return JSON.createObjectNode().set("input", JSON.valueToTree(texts)).toString();
    }

    /** What the head says, asked without a server. */
    private static float[] said(Path path, String text) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(path);
        int[] ids = IntStream.concat(
                        IntStream.concat(
                                IntStream.of(tokenizer.id(FolderTask.START).orElseThrow()),
                                IntStream.of(tokenizer.encode(text))),
                        IntStream.of(tokenizer.id(FolderTask.EXTRACT).orElseThrow()))
                .toArray();
        try (HeadRunner head = HeadRunner.open(ModelFolder.open(path), FolderTask.OUTPUT, 0, 1)) {
            return head.run(ids);
        }
    }

    @Test
    void textsAreClassifiedInTheirOrder() throws IOException {
        JsonNode answer = json(server.post("/v1/classify", ask(TEXTS)));
        assertThat(answer.path("object").textValue()).isEqualTo("list");
        assertThat(answer.path("model").textValue()).isEqualTo("tiny-classification");
        assertThat(answer.path("id").textValue()).startsWith("classify-");
        assertThat(answer.path("data")).hasSize(3);
        for (int i = 0; i < TEXTS.size(); i++) {
            float[] logits = said(LABELS, TEXTS.get(i));
            double sum =
                    IntStream.range(0, 3).mapToDouble(k -> Math.exp(logits[k])).sum();
            JsonNode data = answer.path("data").path(i);
            assertThat(data.path("index").intValue()).isEqualTo(i);
            assertThat(data.path("num_classes").intValue()).isEqualTo(3);
            int best = 0;
            for (int k = 0; k < 3; k++) {
                assertThat(data.path("probs").path(k).doubleValue()).isCloseTo(Math.exp(logits[k]) / sum, within(1e-6));
                best = logits[k] > logits[best] ? k : best;
            }
            assertThat(data.path("label").textValue())
                    .isEqualTo(List.of("a", "b", "c").get(best));
        }
        int tokens = Tokenizer.load(LABELS).encode(String.join("", TEXTS)).length;
        assertThat(answer.path("usage").path("total_tokens").intValue())
                .isEqualTo(answer.path("usage").path("prompt_tokens").intValue())
                .isGreaterThanOrEqualTo(tokens);
    }

    @Test
    void aTextIsClassifiedAsInAList() {
        JsonNode all = json(server.post("/v1/classify", ask(TEXTS))).path("data");
        for (int i = 0; i < TEXTS.size(); i++) {
            JsonNode alone = json(server.post(
                            "/v1/classify",
                            JSON.createObjectNode().put("input", TEXTS.get(i)).toString()))
                    .path("data")
                    .path(0);
            assertThat(alone.path("probs")).isEqualTo(all.path(i).path("probs"));
        }
    }

    @Test
    void aHeadForNumbersGivesItsNumber() throws IOException {
        Path path = MODELS.resolve("tiny-regression");
        try (FolderServer numbers = new FolderServer(path, 0, null)) {
            JsonNode data = json(numbers.post("/v1/classify", "{\"input\":\"What a film!\"}"))
                    .path("data")
                    .path(0);
            assertThat(data.path("num_classes").intValue()).isEqualTo(1);
            assertThat(data.path("label").textValue()).isEqualTo("LABEL_0");
            assertThat(data.path("probs").path(0).floatValue()).isEqualTo(said(path, "What a film!")[0]);
        }
    }

    private static ApiError error(HttpResponse<String> reply) {
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }

    @Test
    void whatCannotBeClassifiedIsRefusedByName() {
        for (String[] ask : new String[][] {
            {"{}", "input is missing"},
            {"{\"input\":[]}", "input is empty"},
            {"{\"input\":\"\"}", "input is empty"},
            {"{\"input\":[\"a\",7]}", "input[1] is 7 but must be a text"},
            {"{\"input\":{\"a\":1}}", "must be a text or a list of texts"},
            {"{\"input\":\"a\",\"activation\":false}", "activation is false"},
            {ask(List.of("a", "word ".repeat(60))), "input[1] has "},
            {"{\"input\":\"a\",\"model\":\"other\"}", "\\\"other\\\" is not served here"},
        }) {
            HttpResponse<String> reply = server.post("/v1/classify", ask[0]);
            assertThat(reply.statusCode()).as(ask[0]).isIn(400, 404);
            assertThat(reply.body()).contains(ask[1]);
        }
        String large = "word ".repeat(60);
        assertThat(error(server.post("/v1/classify", ask(List.of(large)))))
                .returns("context_length_exceeded", ApiError::code)
                .returns("input", ApiError::param);
        assertThat(error(server.post("/v1/classify", ask(List.of("a", "b", "c", large)))))
                .returns("context_length_exceeded", ApiError::code)
                .returns("input[3]", ApiError::param);
    }

    @Test
    void aModelWithoutAHeadSaysHowToGetOne() {
        try (TestServer plain = TestServer.small()) {
            HttpResponse<String> reply = plain.post("/v1/classify", "{\"input\":\"a\"}");
            assertThat(reply.statusCode()).isEqualTo(400);
            assertThat(reply.body()).contains("finetune --task classification").contains("./weir export");
            assertThat(error(reply))
                    .returns("unsupported_model", ApiError::code)
                    .returns("model", ApiError::param);
        }
    }

    @Test
    void aHeadForPairsIsNotAskedOfSingleTexts(@TempDir Path folder) throws IOException {
        Path pairs = Files.createDirectory(folder.resolve("pairs"));
        try (Stream<Path> files = Files.list(LABELS)) {
            for (Path file : files.toList()) {
                Files.copy(file, pairs.resolve(file.getFileName()));
            }
        }
        Path config = pairs.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("\"classification\"", "\"entailment\""));
        try (FolderServer entailment = new FolderServer(pairs, 0, null)) {
            assertThat(entailment.post("/v1/classify", "{\"input\":\"a\"}").body())
                    .contains("for entailment, which takes several texts");
        }
    }

    @Test
    void keysCountAndLimitWhatIsClassified(@TempDir Path folder) {
        TestKeys keys = new TestKeys(folder);
        String key = keys.add("alice", new Limits(0, 20, 0));
        try (FolderServer closed = new FolderServer(LABELS, 0, keys.open())) {
            assertThat(closed.post("/v1/classify", "{\"input\":\"a\"}").statusCode())
                    .isEqualTo(401);
            assertThat(closed.post("/v1/classify", "{\"input\":\"aaaaaaaa\"}", key)
                            .statusCode())
                    .isEqualTo(200);
            List<Integer> codes = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                codes.add(closed.post("/v1/classify", "{\"input\":\"aaaaaaaa\"}", key)
                        .statusCode());
            }
            assertThat(codes).contains(429);
            assertThat(closed.services.admission().inFlight()).isZero();
        }
    }
}
