package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.engine.PrefixPool;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.EventReader.Received;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.Tools;
import dev.weir.protocol.Usage;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Responses that are asked for by their names, and conversations that go on from them. */
final class StoredResponseTest {
    private static final String GREEDY = ",\"temperature\":0,\"max_output_tokens\":30,\"ignore_eos\":true";

    private TestServer server;

    @BeforeEach
    void start() {
        server = TestServer.small();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void responseIsKeptAsItWasGivenUntilItIsDeleted() {
        String given = server.post("/v1/responses", "{\"input\":\"Hello\"" + GREEDY + "}")
                .body();
        String path = "/v1/responses/" + EventReader.response(given).id();
        assertThat(EventReader.response(given).settings().store()).isTrue();
        assertThat(server.get(path).body()).isEqualTo(given);
        assertThat(send("POST", path + "/cancel").body()).isEqualTo(given);
        HttpResponse<String> deleted = send("DELETE", path);
        assertThat(deleted.body()).contains("\"object\":\"response\",\"deleted\":true");
        assertThat(error(send("DELETE", path)).code()).isEqualTo("response_not_found");
        assertThat(error(server.get(path)).param()).isEqualTo("response_id");
        assertThat(error(server.get(path + "?stream=true")).code()).isEqualTo("response_not_found");
        assertThat(error(server.get(path + "/input_items")).code()).isEqualTo("response_not_found");
        assertThat(error(send("POST", path + "/cancel")).code()).isEqualTo("response_not_found");
    }

    @Test
    void responseThatIsNotStoredIsNotGivenByItsName() {
        String given = server.post("/v1/responses", "{\"input\":\"Hello\",\"store\":false" + GREEDY + "}")
                .body();
        String id = EventReader.response(given).id();
        assertThat(EventReader.response(given).settings().store()).isFalse();
        assertThat(server.get("/v1/responses/" + id).statusCode()).isEqualTo(404);
        assertThat(send("DELETE", "/v1/responses/" + id).statusCode()).isEqualTo(404);
        ApiError error = error(server.post(
                "/v1/responses", "{\"input\":\"x\",\"previous_response_id\":\"" + id + "\"" + GREEDY + "}"));
        assertThat(error.code()).isEqualTo("previous_response_not_found");
        assertThat(error.param()).isEqualTo("previous_response_id");
        assertThat(error.message()).contains(id);
        server.awaitIdle();
    }

    @Test
    void runningResponseIsShownCancelledAndShownAgain() {
        server.model.hold();
        TestSocket socket = server.socket();
        socket.send("{\"type\":\"response.create\",\"input\":\"Hello\"" + GREEDY + "}");
        String id = ((ServerEvent.Created) socket.next().event()).response().id();
        ResponseObject shown =
                EventReader.response(server.get("/v1/responses/" + id).body());
        assertThat(shown.status()).isEqualTo(ResponseStatus.IN_PROGRESS);
        server.model.allow(8);
        TestServer.await(() -> "eight steps", () -> server.model.runs == 8);
        String ended = send("POST", "/v1/responses/" + id + "/cancel").body();
        assertThat(EventReader.response(ended).status()).isEqualTo(ResponseStatus.CANCELLED);
        ServerEvent end = socket.untilEnd().getLast().event();
        assertThat(((ServerEvent.Incomplete) end).response()).isEqualTo(EventReader.response(ended));
        assertThat(server.get("/v1/responses/" + id).body()).isEqualTo(ended);
        assertThat(send("POST", "/v1/responses/" + id + "/cancel").body()).isEqualTo(ended);
        server.model.release();
        server.awaitIdle();
    }

    @Test
    void deletedResponseEndsAndIsNotKept() {
        server.model.hold();
        TestSocket socket = server.socket();
        socket.send("{\"type\":\"response.create\",\"input\":\"Hello\"" + GREEDY + "}");
        String id = ((ServerEvent.Created) socket.next().event()).response().id();
        assertThat(send("DELETE", "/v1/responses/" + id).statusCode()).isEqualTo(200);
        socket.untilEnd();
        assertThat(server.get("/v1/responses/" + id).statusCode()).isEqualTo(404);
        server.model.release();
        server.awaitIdle();
    }

    @Test
    void inputItemsAreListedInPages() throws IOException {
        String given = server.post("/v1/responses", """
                {"input":[{"role":"user","content":"one"},{"role":"assistant","content":"two"},
                 {"role":"user","content":"three"}],"max_output_tokens":4}
                """).body();
        String path = "/v1/responses/" + EventReader.response(given).id() + "/input_items";
        JsonNode all =
                new ObjectMapper().readTree(server.get(path + "?order=asc").body());
        assertThat(all.path("object").asText()).isEqualTo("list");
        assertThat(all.path("has_more").booleanValue()).isFalse();
        assertThat(all.path("data").findValuesAsText("text")).containsExactly("one", "two", "three");
        assertThat(all.path("data").findValuesAsText("role")).containsExactly("user", "assistant", "user");
        JsonNode first =
                new ObjectMapper().readTree(server.get(path + "?limit=2").body());
        assertThat(first.path("data").findValuesAsText("text")).containsExactly("three", "two");
        assertThat(first.path("has_more").booleanValue()).isTrue();
        String after = first.path("last_id").asText();
        JsonNode rest = new ObjectMapper()
                .readTree(server.get(path + "?limit=2&after=" + after).body());
        assertThat(rest.path("data").findValuesAsText("text")).containsExactly("one");
        assertThat(rest.path("has_more").booleanValue()).isFalse();
        for (String bad : List.of("order=up", "limit=0", "limit=101", "after=msg_none")) {
            assertThat(error(server.get(path + "?" + bad)).param()).isEqualTo(bad.replaceAll("=.*", ""));
        }
    }

    @Test
    void conversationGoesOnAsIfAllOfItWereSent() {
        ResponseObject first = create("\"input\":\"one\",\"instructions\":\"Sing.\"");
        ResponseObject second = create("\"input\":\"two\",\"previous_response_id\":\"" + first.id() + "\"");
        assertThat(second.settings().previousResponseId()).isEqualTo(first.id());
        ResponseObject third = create("\"input\":\"three\",\"previous_response_id\":\"" + second.id() + "\"");
        ResponseObject whole = create("\"input\":" + messages("one", text(first), "two", text(second), "three"));
        assertThat(text(third)).isEqualTo(text(whole));
        ResponseObject fork = create("\"input\":\"three\",\"previous_response_id\":\"" + first.id() + "\"");
        assertThat(text(fork))
                .isEqualTo(text(create("\"input\":" + messages("one", text(first), "three"))))
                .isNotEqualTo(text(third));
    }

    @Test
    void lanesLastResponseNeedNotBeStoredToGoOnFromAndForksIntoAnotherLane() {
        TestSocket socket = server.socket();
        ResponseObject first = onSocket(socket, "a", "\"input\":\"one\",\"store\":false");
        String previous = "\"store\":false,\"previous_response_id\":\"" + first.id() + "\"";
        ResponseObject fork = onSocket(socket, "b", "\"input\":\"two\"," + previous);
        ResponseObject second = onSocket(socket, "a", "\"input\":\"two\"," + previous);
        String whole = text(create("\"input\":" + messages("one", text(first), "two")));
        assertThat(text(fork)).isEqualTo(whole);
        assertThat(text(second)).isEqualTo(whole);
        socket.send("{\"type\":\"response.create\",\"stream_id\":\"a\",\"input\":\"two\"," + previous + "}");
        Received refused = socket.next(); // it is no longer the last of its lane
        assertThat(refused.streamId()).isEqualTo("a");
        assertThat(((ServerEvent.Refused) refused.event()).error().code()).isEqualTo("previous_response_not_found");
        server.socket().send("{\"type\":\"response.create\",\"input\":\"two\"," + previous + "}");
        server.awaitIdle();
    }

    @Test
    void promptThatIsOnlyMadeReadyIsAnsweredByNothingAndFoundInTheCache() {
        server.close();
        server = new TestServer(TestServer.Size.SMALL.withPrefixPool(new PrefixPool(64, 16, true)));
        TestSocket socket = server.socket();
        String prompt = "a prompt that is long enough to fill some blocks of sixteen tokens each";
        socket.send("{\"type\":\"response.create\",\"generate\":false,\"min_tokens\":7,\"input\":\"" + prompt + "\"}");
        List<Received> events = socket.untilEnd();
        assertThat(events)
                .extracting(received -> received.event().type())
                .containsExactly("response.created", "response.in_progress", "response.completed");
        ResponseObject ready = ((ServerEvent.Completed) events.getLast().event()).response();
        assertThat(ready.output()).isEmpty();
        Usage usage = Objects.requireNonNull(ready.usage());
        assertThat(usage.completionTokens()).isZero();
        ResponseObject answered = create("\"input\":\"go on\",\"previous_response_id\":\"" + ready.id() + "\"");
        assertThat(Objects.requireNonNull(answered.usage()).cachedTokens()).isGreaterThanOrEqualTo(64);
        assertThat(text(answered))
                .isEqualTo(text(create("\"input\":[{\"role\":\"user\",\"content\":\"" + prompt
                        + "\"},{\"role\":\"user\",\"content\":\"go on\"}]")));
    }

    @Test
    void leastRecentlyUsedResponsesMakeRoom() {
        MemoryStore store = new MemoryStore(3, 4096);
        for (String id : List.of("a", "b", "c")) {
            store.put(stored(id, ""), new StoredEvents(0, List.of()));
        }
        assertThat(store.get("t", "a").result()).isPresent();
        store.put(stored("d", ""), new StoredEvents(0, List.of()));
        assertThat(store.get("t", "b").result()).isEmpty();
        assertThat(store.get("other", "a").result()).isEmpty();
        assertThat(store.delete("other", "a").result()).isFalse();
        assertThat(store.get("t", "a").result()).isPresent();
        store.put(stored("e", "x".repeat(3000)), new StoredEvents(0, List.of()));
        assertThat(store.get("t", "e").result()).isPresent();
        assertThat(store.get("t", "c").result()).isEmpty();
        store.put(stored("f", "x".repeat(9000)), new StoredEvents(0, List.of()));
        assertThat(store.get("t", "f").result()).as("larger than the store").isEmpty();
    }

    /** A response of the tenant t. */
    static StoredResponse stored(String id, String text) {
        ResponseObject.Settings settings =
                new ResponseObject.Settings(null, null, 1, 1, Map.of(), Tools.NONE, null, null, null, true);
        ResponseObject response = ResponseObject.inProgress(id, 1, "fake", settings)
                .ended(
                        ResponseStatus.COMPLETED,
                        List.of(new OutputMessage("msg_1", ResponseStatus.COMPLETED, text, List.of())),
                        new Usage(1, 1),
                        null);
        return new StoredResponse(response, "t", List.of(), List.of(new ChatMessage("user", "x")));
    }

    private ResponseObject create(String fields) {
        HttpResponse<String> reply = server.post("/v1/responses", "{" + fields + GREEDY + "}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return EventReader.response(reply.body());
    }

    private static ResponseObject onSocket(TestSocket socket, String lane, String fields) {
        socket.send("{\"type\":\"response.create\",\"stream_id\":\"" + lane + "\"," + fields + GREEDY + "}");
        return ((ServerEvent.Incomplete) socket.untilEnd().getLast().event()).response();
    }

    /** Messages of a user and an assistant in turn, as JSON. */
    private static String messages(String... texts) {
        try {
            ObjectMapper mapper = new ObjectMapper();
            var array = mapper.createArrayNode();
            for (String text : texts) {
                array.addObject()
                        .put("role", array.size() % 2 == 1 ? "user" : "assistant")
                        .put("content", text);
            }
            return mapper.writeValueAsString(array);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpResponse<String> send(String method, String path) {
        return server.send(HttpRequest.newBuilder(server.uri(path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build());
    }

    private static String text(ResponseObject response) {
        return response.text();
    }

    private static ApiError error(HttpResponse<String> reply) {
        assertThat(reply.statusCode()).as(reply.body()).isBetween(400, 404);
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }
}
