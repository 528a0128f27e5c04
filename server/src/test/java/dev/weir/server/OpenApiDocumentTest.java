package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The document is held against the server that it describes; an independent validator is the judge of bodies and answers. */
final class OpenApiDocumentTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
    private static final String CALL = """
            <tool_call>
            {"name": "add", "arguments": {"a": 1}}
            </tool_call>""";

    private static TestServer server;
    private static JsonNode document;

    @BeforeAll
    static void start() {
        server = TestServer.small();
        document = json(server.get("/openapi.json").body());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the validator has against a value by a schema of the document. */
    private static List<String> faults(String schema, String json) {
        ObjectNode holder = JSON.createObjectNode();
        holder.put("$ref", "#/components/schemas/" + schema);
        holder.set("components", document.path("components"));
        return REGISTRY.getSchema(holder.toString(), InputFormat.JSON).validate(json, InputFormat.JSON).stream()
                .map(String::valueOf)
                .toList();
    }

    private static void requireValid(String schema, String json) {
        assertThat(faults(schema, json)).as("%s as %s", json, schema).isEmpty();
    }

    @Test
    void documentAndRoutesNameTheSame() {
        Set<String> served = new TreeSet<>();
        Vertx vertx = Vertx.vertx();
        try {
            List<Route> routes = new HttpRoutes(server.services, vertx, (_, _) -> {})
                    .router(new Connections(Duration.ofSeconds(1), server.services.metrics()))
                    .getRoutes();
            for (Route route : routes) {
                if (route.getPath() != null
                        && route.methods() != null
                        && !route.getPath().startsWith("/webjars")) {
                    for (HttpMethod method : route.methods()) {
                        served.add(method + " " + route.getPath().replaceAll(":(\\w+)", "{$1}"));
                    }
                }
            }
        } finally {
            vertx.close();
        }
        Set<String> described = new TreeSet<>();
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue()
                        .fieldNames()
                        .forEachRemaining(
                                method -> described.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
        assertThat(described).isEqualTo(served);
    }

    @Test
    void documentSaysWhichPathsNeedAKey(@TempDir Path folder) {
        TestKeys keys = new TestKeys(folder);
        keys.add("first");
        try (TestServer closed = new TestServer(TestServer.Size.SMALL, keys.open())) {
            JsonNode paths = json(closed.get("/openapi.json").body()).path("paths");
            paths.properties()
                    .forEach(path -> path.getValue().properties().forEach(operation -> {
                        String method = operation.getKey().toUpperCase(Locale.ROOT);
                        HttpResponse<String> reply = closed.send(
                                HttpRequest.newBuilder(closed.uri(path.getKey().replaceAll("\\{.*?}", "x")))
                                        .method(method, HttpRequest.BodyPublishers.noBody())
                                        .build());
                        assertThat(operation.getValue().path("security").isEmpty())
                                .as(method + " " + path.getKey())
                                .isEqualTo(reply.statusCode() != 401);
                    }));
        }
    }

    @Test
    void documentIsBuiltAsOpenApiHasIt() {
        assertThat(document.path("openapi").textValue()).startsWith("3.1.");
        assertThat(document.path("info").has("title") && document.path("info").has("version"))
                .isTrue();
        document.path("paths")
                .forEach(path -> path.forEach(operation -> {
                    assertThat(operation.path("operationId").isTextual()).isTrue();
                    assertThat(operation.path("responses").has("default")).isTrue();
                    operation.path("parameters").forEach(parameter -> {
                        assertThat(parameter.path("in").textValue()).isIn("path", "query");
                        assertThat(parameter.has("schema")).isTrue();
                    });
                    JsonNode body =
                            operation.path("requestBody").path("content").path("application/json");
                    if (body.has("example")) {
                        String schema = body.path("schema").path("$ref").textValue();
                        requireValid(
                                schema.substring(schema.lastIndexOf('/') + 1),
                                body.path("example").toString());
                    }
                }));
        String metaSchema = SpecificationVersion.DRAFT_2020_12.getDialectId();
        document.path("components")
                .path("schemas")
                .forEach(schema -> assertThat(REGISTRY.getSchema(SchemaLocation.of(metaSchema))
                                .validate(schema.toString(), InputFormat.JSON))
                        .as("%s", schema)
                        .isEmpty());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
            ChatCompletionRequest ~ {"messages":[]}                                        ~ true
            ChatCompletionRequest ~ {"messages":[{"role":"user","content":"a"}],"n":3,"temperature":null} ~ true
            ChatCompletionRequest ~ {"messages":[{"role":"user","content":"a"}],"n":3.5}    ~ false
            ChatCompletionRequest ~ {"messages":[{"role":"user","content":"a"}],"n":129}    ~ false
            ChatCompletionRequest ~ {"messages":[{"role":"user","content":"a"}],"top_p":0}  ~ false
            ChatCompletionRequest ~ {"messages":[{"role":"narrator","content":"a"}]}        ~ false
            ChatCompletionRequest ~ {"prompt":"a"}                                          ~ false
            CompletionRequest     ~ {"prompt":"a","logit_bias":{"7":-100},"stop":"x"}       ~ true
            CompletionRequest     ~ {"prompt":"a","logit_bias":{"seven":1}}                 ~ false
            CompletionRequest     ~ {"prompt":"a","logit_bias":{"7":-101}}                  ~ false
            CompletionRequest     ~ {"prompt":"a","stop":["a","b","c","d","e"]}             ~ false
            CompletionRequest     ~ {"prompt":{"a":1}}                                      ~ false
            ResponseRequest       ~ {"input":"a","metadata":{"a":"b"}}                      ~ true
            ResponseRequest       ~ {"input":"a","metadata":{"a":1}}                        ~ false
            ResponseRequest       ~ {"input":[{"type":"function_call_output","call_id":"c"}]} ~ false
            DetokenizeRequest     ~ {"tokens":["a"]}                                        ~ false
            """)
    void requestsAreValidIfTheyAreRight(String schema, String json, boolean isValid) {
        assertThat(faults(schema, json).isEmpty()).as(json).isEqualTo(isValid);
    }

    @Test
    void whatIsAskedAndAnsweredIsAsTheDocumentSays() {
        exchange("/v1/completions", """
                {"prompt":["a","b"],"n":2,"max_tokens":5,"logprobs":2,"seed":7}""", "CompletionRequest", "Completion");
        exchange("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"a"}],"max_tokens":5,"logprobs":true,"top_logprobs":2}""", "ChatCompletionRequest", "ChatCompletion");
        exchange("/v1/responses", """
                {"input":"a","max_output_tokens":5,"include":["message.output_text.logprobs"],"top_logprobs":1,
                "metadata":{"a":"b"},"text":{"format":{"type":"text"}}}""", "ResponseRequest", "Response");
        exchange("/tokenize", "{\"prompt\":\"ab\",\"return_token_strs\":true}", "TokenizeRequest", "Tokens");
        exchange("/detokenize", "{\"tokens\":[97,98]}", "DetokenizeRequest", "Text");
        requireValid("ModelList", server.get("/v1/models").body());
        requireValid("Model", server.get("/v1/models/fake").body());
    }

    private static void exchange(String path, String body, String request, String answer) {
        requireValid(request, body);
        HttpResponse<String> reply = server.post(path, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        requireValid(answer, reply.body());
    }

    @Test
    void chunksAndEventsAreAsTheDocumentSays() {
        String chat = """
                {"messages":[{"role":"user","content":"a"}],"max_tokens":5,"stream":true,
                "stream_options":{"include_usage":true},"logprobs":true}""";
        requireAll("ChatCompletionChunk", server.post("/v1/chat/completions", chat));
        requireAll("CompletionChunk", server.post("/v1/completions", "{\"prompt\":\"a\",\"stream\":true}"));
        requireAll("ServerEvent", server.post("/v1/responses", "{\"input\":\"a\",\"stream\":true}"));
    }

    @Test
    void callsAreAsTheDocumentSays() {
        String tool = "\"name\":\"add\",\"parameters\":{\"type\":\"object\"}";
        String chat =
                "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"tools\":[{\"type\":\"function\",\"function\":{"
                        + tool + "}}]";
        String response = "\"input\":\"a\",\"tools\":[{\"type\":\"function\"," + tool + "}]";
        server.model.script = CALL;
        try {
            exchange("/v1/chat/completions", "{" + chat + "}", "ChatCompletionRequest", "ChatCompletion");
            requireAll("ChatCompletionChunk", server.post("/v1/chat/completions", "{" + chat + ",\"stream\":true}"));
            exchange("/v1/responses", "{" + response + "}", "ResponseRequest", "Response");
            HttpResponse<String> events = server.post("/v1/responses", "{" + response + ",\"stream\":true}");
            requireAll("ServerEvent", events);
            assertThat(events.body()).contains("response.function_call_arguments.done");
            String id = json(events.body().split("data: ", 3)[1].split("\n", 2)[0])
                    .path("response")
                    .path("id")
                    .textValue();
            requireValid("Response", server.get("/v1/responses/" + id).body());
            requireValid(
                    "ItemList",
                    server.get("/v1/responses/" + id + "/input_items").body());
        } finally {
            server.model.script = null;
        }
    }

    @Test
    void whatIsSaidOfTextsIsAsTheDocumentSays() {
        Path models = Path.of("../src/onnx/src/test/resources/models");
        String texts = "{\"input\":[\"a\",\"b\"]}";
        requireValid("ClassifyRequest", texts);
        try (FolderServer labels = new FolderServer(models.resolve("tiny-classification"), 0, null)) {
            requireValid("Classification", labels.post("/v1/classify", texts).body());
        }
        try (FolderServer embeddings = new FolderServer(models.resolve("tiny-embeddings"), 0, null)) {
            for (String body : List.of(texts, "{\"input\":[1,2],\"encoding_format\":\"base64\"}")) {
                requireValid("EmbeddingRequest", body);
                requireValid(
                        "EmbeddingList", embeddings.post("/v1/embeddings", body).body());
            }
        }
        assertThat(faults("EmbeddingRequest", "{\"input\":\"a\",\"dimensions\":0}"))
                .isNotEmpty();
    }

    @Test
    void errorsAreAsTheDocumentSays() {
        requireValid(
                "Error",
                server.post("/v1/completions", "{\"prompt\":\"a\",\"n\":0}").body());
        requireValid("Error", server.post("/v1/completions", "{").body());
        requireValid("Error", server.get("/nowhere").body());
    }

    private static void requireAll(String schema, HttpResponse<String> stream) {
        assertThat(stream.statusCode()).as(stream.body()).isEqualTo(200);
        List<String> data = stream.body()
                .lines()
                .filter(line -> line.startsWith("data: ") && !line.equals("data: [DONE]"))
                .map(line -> line.substring("data: ".length()))
                .toList();
        assertThat(data).hasSizeGreaterThan(1);
        data.forEach(event -> requireValid(schema, event));
    }
}
