package dev.weir.loadtest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The questions asked of a server before a run: which models it has, how it tokenises. Owner: the main thread, which it
 * blocks. A server that cannot be reached is a {@link LoadTestException} that names the address.
 */
final class ServerProbe implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Target target;
    private final HttpClient http;
    private final ObjectMapper mapper = new ObjectMapper();

    ServerProbe(Target target) {
        this.target = target;
        // HTTP/1.1 keeps Java's client from offering an upgrade to HTTP/2, which some servers answer wrongly.
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(target.connectTimeout())
                .build();
    }

    /** The ids of the server's models, in its order; empty where it has no such list. */
    List<String> models() {
        HttpResponse<String> response = send(request("/v1/models").GET().build());
        if (response.statusCode() == 401 || response.statusCode() == 403) {
            throw new LoadTestException("the server refuses /v1/models with status " + response.statusCode()
                    + ": give its key with --api-key");
        }
        List<String> ids = new ArrayList<>();
        if (response.statusCode() == 200) {
            for (JsonNode model : parse(response.body()).path("data")) {
                if (model.path("id").isTextual()) {
                    ids.add(model.path("id").textValue());
                }
            }
        }
        return ids;
    }

    /**
     * The server's token ids of a text, or nothing where it does not say. Asks with vLLM's field name first and with
     * llama.cpp's if that is not understood.
     */
    Optional<List<Integer>> tokenize(@Nullable String model, String text) {
        Optional<List<Integer>> answer = tokenize(model, "prompt", text);
        return answer.isPresent() ? answer : tokenize(null, "content", text);
    }

    private Optional<List<Integer>> tokenize(@Nullable String model, String field, String text) {
        ObjectNode body = mapper.createObjectNode();
        if (model != null) {
            body.put("model", model);
        }
        body.put(field, text);
        HttpResponse<String> response = send(request("/tokenize")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
                .build());
        if (response.statusCode() != 200) {
            return Optional.empty();
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : parse(response.body()).path("tokens")) {
            if (!id.canConvertToInt()) {
                return Optional.empty();
            }
            ids.add(id.intValue());
        }
        return ids.isEmpty() ? Optional.empty() : Optional.of(ids);
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create(target.base() + path)).timeout(PATIENCE);
        if (target.apiKey() != null) {
            builder.header("Authorization", "Bearer " + target.apiKey());
        }
        return builder;
    }

    private HttpResponse<String> send(HttpRequest request) {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new LoadTestException(
                    "cannot reach " + target.base() + " (" + Failures.describe(e) + "): is the server running there?");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LoadTestException("interrupted while asking " + request.uri());
        }
    }

    private JsonNode parse(String body) {
        try {
            return mapper.readTree(body);
        } catch (IOException e) {
            throw new LoadTestException(
                    target.base() + " does not answer with JSON, so it is no OpenAI-compatible server");
        }
    }

    @Override
    public void close() {
        http.close();
    }
}
