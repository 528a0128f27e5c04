package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.embeddings.CreateEmbeddingResponse;
import com.openai.models.embeddings.EmbeddingCreateParams;
import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Embeddings of texts, with a tiny model that the exporter wrote. */
final class EmbeddingsTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final Path FOLDER = Path.of("../src/onnx/src/test/resources/models/tiny-embeddings");
    private static final List<String> TEXTS = List.of("The weather is fine.", "no", "It rained for days.");

    private static FolderServer server;

    @BeforeAll
    static void start() {
        server = new FolderServer(FOLDER, 0, null);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode ask(String body) {
        HttpResponse<String> reply = server.post("/v1/embeddings", body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        try {
            return JSON.readTree(reply.body());
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String body(Object input, String more) {
        return "{\"input\":" + JSON.valueToTree(input) + more + "}";
    }

    private static float[] numbers(JsonNode answer, int index) {
        JsonNode list = answer.path("data").path(index).path("embedding");
        float[] numbers = new float[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = list.path(i).floatValue();
        }
        return numbers;
    }

    private static double product(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    @Test
    void textsHaveTheMeansOfTheGraphAtLengthOneInTheirOrder() throws IOException {
        JsonNode answer = ask(body(TEXTS, ""));
        assertThat(answer.path("object").textValue()).isEqualTo("list");
        assertThat(answer.path("model").textValue()).isEqualTo("tiny-embeddings");
        assertThat(answer.path("data")).hasSize(3);
        Tokenizer tokenizer = Tokenizer.load(FOLDER);
        int tokens = 0;
        try (HeadRunner graph = HeadRunner.open(
                ModelFolder.open(FOLDER).embeddings().orElseThrow(), ModelFolder.EMBEDDINGS_OUTPUT, 0, 1)) {
            for (int i = 0; i < TEXTS.size(); i++) {
                int[] ids = tokenizer.encode(TEXTS.get(i));
                float[] mean = graph.run(ids);
                float[] said = numbers(answer, i);
                assertThat(answer.path("data").path(i).path("index").intValue()).isEqualTo(i);
                assertThat(said).hasSize(32);
                assertThat(product(said, said)).isCloseTo(1, within(1e-6));
                assertThat(product(said, mean)).isCloseTo(Math.sqrt(product(mean, mean)), within(1e-5));
                tokens += ids.length;
            }
        }
        assertThat(answer.path("usage").path("prompt_tokens").intValue()).isEqualTo(tokens);
        assertThat(product(numbers(answer, 0), numbers(answer, 2))).isLessThan(0.9999);
    }

    @Test
    void tokenIdsAreTheirText() throws IOException {
        int[] ids = Tokenizer.load(FOLDER).encode(TEXTS.getFirst());
        float[] text = numbers(ask(body(TEXTS.getFirst(), "")), 0);
        assertThat(numbers(ask(body(ids, "")), 0)).isEqualTo(text);
        JsonNode several = ask(body(List.of(ids, new int[] {1}), ""));
        assertThat(numbers(several, 0)).isEqualTo(text);
        assertThat(several.path("data")).hasSize(2);
    }

    @Test
    void base64HasTheSameNumbers() {
        JsonNode encoded = ask(body(TEXTS, ",\"encoding_format\":\"base64\""));
        JsonNode plain = ask(body(TEXTS, ",\"encoding_format\":\"float\""));
        for (int i = 0; i < TEXTS.size(); i++) {
            float[] numbers = new float[32];
            ByteBuffer.wrap(Base64.getDecoder()
                            .decode(encoded.path("data")
                                    .path(i)
                                    .path("embedding")
                                    .textValue()))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(numbers);
            assertThat(numbers).isEqualTo(numbers(plain, i));
        }
    }

    @Test
    void fewerDimensionsAreTheFirstOnesAtLengthOne() {
        float[] whole = numbers(ask(body("a", "")), 0);
        float[] few = numbers(ask(body("a", ",\"dimensions\":5")), 0);
        assertThat(few).hasSize(5);
        assertThat(product(few, few)).isCloseTo(1, within(1e-6));
        float[] first = Arrays.copyOf(whole, 5);
        assertThat(product(few, first)).isCloseTo(Math.sqrt(product(first, first)), within(1e-6));
    }

    @Test
    void openAisClientReadsThem() {
        OpenAIClient client = OpenAIOkHttpClient.builder()
                .baseUrl(server.url() + "/v1")
                .apiKey("none")
                .build();
        CreateEmbeddingResponse answer = client.embeddings()
                .create(EmbeddingCreateParams.builder()
                        .model("tiny-embeddings")
                        .inputOfArrayOfStrings(TEXTS)
                        .build());
        float[] plain = numbers(ask(body(TEXTS, "")), 1);
        List<Float> read = answer.data().get(1).embedding();
        assertThat(read).hasSize(32);
        for (int i = 0; i < plain.length; i++) {
            assertThat(read.get(i)).isEqualTo(plain[i]);
        }
        client.close();
    }

    @Test
    void theModelBesideItGenerates() {
        HttpResponse<String> reply = server.post("/v1/completions", "{\"prompt\":\"a\",\"max_tokens\":3}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
    }

    @Test
    void whatHasNoEmbeddingIsRefusedByName() {
        for (String[] ask : new String[][] {
            {"{}", "input is missing"},
            {"{\"input\":[]}", "input is empty"},
            {"{\"input\":[[1],[]]}", "input[1] is empty"},
            {"{\"input\":[1,270]}", "input has token 270 but the model's token ids go from 0 to 269"},
            {body("word ".repeat(60), ""), "input has "},
            {body("a", ",\"dimensions\":33"), "dimensions is 33 but the model's embeddings have 32 numbers"},
            {body("a", ",\"dimensions\":0"), "dimensions is 0"},
            {body("a", ",\"encoding_format\":\"int8\""), "must be float or base64"},
            {body(new int[2049][1], ""), "input has 2049 entries but may have at most 2048"},
        }) {
            HttpResponse<String> reply = server.post("/v1/embeddings", ask[0]);
            assertThat(reply.statusCode()).as(ask[0]).isEqualTo(400);
            assertThat(reply.body()).contains(ask[1]);
        }
    }

    @Test
    void aFolderWithoutTheGraphSaysHowToGetOne() {
        try (TestServer plain = TestServer.small()) {
            HttpResponse<String> reply = plain.post("/v1/embeddings", "{\"input\":\"a\"}");
            assertThat(reply.statusCode()).isEqualTo(400);
            assertThat(reply.body()).contains("no embeddings.onnx").contains("./weir export --embeddings");
            assertThat(error(reply))
                    .returns("unsupported_model", ApiError::code)
                    .returns("model", ApiError::param);
        }
    }

    @Test
    void aTextThatIsTooLongIsNamedByItsPlace() {
        String large = "word ".repeat(60);
        assertThat(error(server.post("/v1/embeddings", body(large, ""))).param())
                .isEqualTo("input");
        assertThat(error(server.post("/v1/embeddings", body(List.of("a", "b", "c", large), ""))))
                .returns("context_length_exceeded", ApiError::code)
                .returns("input[3]", ApiError::param);
        assertThat(error(server.post("/v1/embeddings", body(new int[][] {{1}, {270}}, "")))
                        .param())
                .isEqualTo("input[1]");
    }

    private static ApiError error(HttpResponse<String> reply) {
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }

    @Test
    void requestThatTheServersStopCutsShortIsToldSo() {
        try (FolderServer stopping = new FolderServer(FOLDER, 0, null)) {
            SequenceWorker worker = stopping.services.model().heads().embedder().worker();
            CountDownLatch release = new CountDownLatch(1);
            CompletableFuture<Boolean> busy = worker.run(List.of(new int[] {1}), _ -> isReleased(release), () -> false);
            CompletableFuture<HttpResponse<String>> waits =
                    CompletableFuture.supplyAsync(() -> stopping.post("/v1/embeddings", body("no", "")));
            TestServer.await(
                    () -> "a request", () -> stopping.services.admission().inFlight() == 1);
            stopping.services.admission().cancelAll();
            release.countDown();
            assertThat(busy.join()).isTrue();
            HttpResponse<String> reply = waits.join();
            assertThat(reply.statusCode()).as(reply.body()).isEqualTo(503);
            assertThat(reply.headers().firstValue("Retry-After")).contains("5");
            assertThat(Objects.requireNonNull(Chunk.read(reply.body()).error()).code())
                    .isEqualTo("stopping");
        }
    }

    private static boolean isReleased(CountDownLatch latch) {
        try {
            return latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
