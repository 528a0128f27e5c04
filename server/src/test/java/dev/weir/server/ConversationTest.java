package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.ConversationObject;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Conversations that are stored, and responses that are added to them. */
final class ConversationTest {
    private static final String GREEDY = ",\"temperature\":0,\"max_output_tokens\":20,\"ignore_eos\":true";
    private static final String TOOLS = ",\"tools\":[{\"type\":\"function\"," + ResponseScenarios.ADD
            + "},{\"type\":\"function\",\"name\":\"now\"}]";

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
    void conversationIsBegunAnnotatedAndForgotten() {
        JsonNode begun = ask("POST", "/v1/conversations", "{\"metadata\":{\"topic\":\"rain\"}}");
        String path = "/v1/conversations/" + begun.path("id").textValue();
        assertThat(begun.path("object").textValue()).isEqualTo("conversation");
        assertThat(begun.path("metadata").path("topic").textValue()).isEqualTo("rain");
        assertThat(ask("GET", path, "")).isEqualTo(begun);
        JsonNode annotated = ask("POST", path, "{\"metadata\":{\"topic\":\"snow\"}}");
        assertThat(annotated.path("metadata").toString()).isEqualTo("{\"topic\":\"snow\"}");
        assertThat(ask("GET", path, "")).isEqualTo(annotated);
        assertThat(items(path)).isEmpty();
        assertThat(ask("DELETE", path, "").toString())
                .isEqualTo("{\"id\":\"" + begun.path("id").textValue()
                        + "\",\"object\":\"conversation.deleted\",\"deleted\":true}");
        for (String method : List.of("GET", "DELETE")) {
            assertThat(refused(method, path, "", 404).code()).isEqualTo("conversation_not_found");
        }
        assertThat(refused("POST", path, "{\"metadata\":{}}", 404).code()).isEqualTo("conversation_not_found");
        assertThat(refused("GET", path + "/items", "", 404).code()).isEqualTo("conversation_not_found");
    }

    @Test
    void responsesGoOnFromTheirConversationAsIfAllOfItWereSent() {
        String path = begin("{\"items\":[{\"role\":\"system\",\"content\":\"Sing.\"}]}");
        ResponseObject first = create(path, "\"input\":\"one\"");
        assertThat(first.settings().conversation()).isEqualTo(id(path));
        TestSocket socket = server.socket();
        socket.send("{\"type\":\"response.create\",\"stream_id\":\"a\",\"store\":false,\"input\":\"two\","
                + "\"conversation\":{\"id\":\"" + id(path) + "\"}" + GREEDY + "}");
        ResponseObject second =
                ((ServerEvent.Incomplete) socket.untilEnd().getLast().event()).response();
        ResponseObject third = create(path, "\"input\":\"three\"");
        List<String> said = List.of("Sing.", "one", first.text(), "two", second.text(), "three", third.text());
        assertThat(texts(path)).isEqualTo(said);
        List<String> roles = List.of("system", "user", "assistant", "user", "assistant", "user");
        String whole = IntStream.range(0, roles.size())
                .mapToObj(i -> "{\"role\":\"" + roles.get(i) + "\",\"content\":" + quoted(said.get(i)) + "}")
                .collect(Collectors.joining(",", "\"input\":[", "]"));
        assertThat(create(null, whole).text()).isEqualTo(third.text());
        assertThat(create(null, "\"input\":\"four\",\"previous_response_id\":\"" + third.id() + "\"")
                        .text())
                .isEqualTo(create(path, "\"input\":\"four\"").text());
    }

    @Test
    void callsAndTheirResultsAreKeptInOrder() {
        String path = begin("{}");
        server.model.script = ResponseScenarios.CALLS;
        ResponseObject called = EventReader.response(ask(
                        "POST",
                        "/v1/responses",
                        "{\"input\":\"Rain?\",\"temperature\":0,\"conversation\":\"" + id(path) + "\"" + TOOLS + "}")
                .toString());
        server.model.script = null;
        assertThat(called.calls()).hasSize(2);
        ResponseObject answered = create(
                path,
                called.calls().stream()
                                .map(call -> "{\"type\":\"function_call_output\",\"output\":\"3\",\"call_id\":\""
                                        + call.id() + "\"}")
                                .collect(Collectors.joining(",", "\"input\":[", "]"))
                        + TOOLS);
        assertThat(answered.text()).isNotEmpty();
        List<JsonNode> items = items(path);
        assertThat(items.stream().map(item -> item.path("type").textValue()))
                .containsExactly(
                        "message",
                        "message",
                        "function_call",
                        "function_call",
                        "function_call_output",
                        "function_call_output",
                        "message");
        assertThat(items.stream().map(item -> item.path("id").textValue()))
                .doesNotHaveDuplicates()
                .contains(
                        called.output().get(1).id(),
                        answered.output().getFirst().id());
        assertThat(items.getLast().path("status").textValue()).isEqualTo("incomplete");
        assertThat(items.getFirst().path("status").textValue()).isEqualTo("completed");
    }

    @Test
    void itemsAreAddedListedInPagesShownAndTakenOut() {
        String path = begin("{\"items\":[{\"role\":\"user\",\"content\":\"one\"}]}");
        JsonNode added = ask("POST", path + "/items", """
                {"items":[{"role":"assistant","content":"two"},
                {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
                {"type":"function_call_output","call_id":"c","output":"three"}]}""");
        assertThat(added.path("data")).hasSize(3);
        assertThat(added.path("has_more").booleanValue()).isFalse();
        assertThat(added.path("last_id").textValue()).startsWith("fco_");
        JsonNode newest = ask("GET", path + "/items?limit=2", "");
        assertThat(newest.path("has_more").booleanValue()).isTrue();
        assertThat(newest.path("data").path(0)).isEqualTo(added.path("data").path(2));
        String after = newest.path("last_id").textValue();
        JsonNode oldest = ask("GET", path + "/items?limit=2&after=" + after, "");
        assertThat(oldest.path("data").findValuesAsText("text")).containsExactly("two", "one");
        String second = path + "/items/" + added.path("data").path(0).path("id").textValue();
        assertThat(ask("GET", second, "")).isEqualTo(added.path("data").path(0));
        assertThat(ask("DELETE", second, "")).isEqualTo(ask("GET", path, ""));
        assertThat(texts(path)).containsExactly("one");
        assertThat(refused("GET", second, "", 404).code()).isEqualTo("item_not_found");
        assertThat(refused("DELETE", second, "", 404).param()).isEqualTo("item_id");
        for (String bad : List.of("order=up", "limit=0", "limit=101", "after=msg_none")) {
            assertThat(refused("GET", path + "/items?" + bad, "", 400).param()).isEqualTo(bad.replaceAll("=.*", ""));
        }
    }

    @Test
    void oneResponseAtATimeIsAddedToAConversation() {
        String path = begin("{}");
        server.model.hold();
        CompletableFuture<ResponseObject> first =
                CompletableFuture.supplyAsync(() -> create(path, "\"input\":\"one\""));
        TestServer.await(() -> "a response", () -> server.services.admission().inFlight() == 1);
        String another = "{\"input\":\"two\",\"conversation\":\"" + id(path) + "\"}";
        ApiError error = refused("POST", "/v1/responses", another, 409);
        assertThat(error.code()).isEqualTo("conversation_locked");
        assertThat(error.message()).contains(id(path), "wait for its end");
        String items = "{\"items\":[{\"role\":\"user\",\"content\":\"two\"}]}";
        assertThat(refused("POST", path + "/items", items, 409).code()).isEqualTo("conversation_locked");
        assertThat(ask("POST", path, "{\"metadata\":{\"a\":\"b\"}}").path("metadata"))
                .hasSize(1);
        assertThat(items(path)).isEmpty();
        server.model.release();
        String answer = first.join().text();
        String second = create(path, "\"input\":\"two\"").text();
        assertThat(texts(path)).containsExactly("one", answer, "two", second);
        assertThat(ask("GET", path, "").path("metadata")).hasSize(1);
    }

    @Test
    void refusedAndFailedResponsesLeaveTheirConversationAsItWasAndFree() {
        String path = begin("{\"items\":[{\"role\":\"user\",\"content\":\"one\"}]}");
        String in = ",\"conversation\":\"" + id(path) + "\"";
        ApiError tooLong = refused("POST", "/v1/responses", "{\"input\":\"" + "x".repeat(9999) + "\"" + in + "}", 400);
        assertThat(tooLong.code()).isEqualTo("context_length_exceeded");
        server.model.failsNext = true;
        assertThat(refused("POST", "/v1/responses", "{\"input\":\"two\"" + in + "}", 500)
                        .code())
                .isEqualTo("internal_error");
        assertThat(texts(path)).containsExactly("one");
        String answer = create(path, "\"input\":\"two\"").text();
        assertThat(texts(path)).containsExactly("one", "two", answer);
    }

    @Test
    void whatACancelledResponseSaidIsKept() {
        String path = begin("{}");
        server.model.hold();
        TestSocket socket = server.socket();
        socket.send(
                "{\"type\":\"response.create\",\"input\":\"one\",\"conversation\":\"" + id(path) + "\"" + GREEDY + "}");
        String response =
                ((ServerEvent.Created) socket.next().event()).response().id();
        server.model.allow(8);
        TestServer.await(() -> "eight steps", () -> server.model.runs == 8);
        ResponseObject cancelled = EventReader.response(
                ask("POST", "/v1/responses/" + response + "/cancel", "").toString());
        assertThat(cancelled.status()).isEqualTo(ResponseStatus.CANCELLED);
        assertThat(texts(path)).containsExactly("one", cancelled.text());
        server.model.release();
        server.awaitIdle();
    }

    @Test
    void responsesOfAForgottenConversationEndAndAreAddedToNothing() {
        String path = begin("{}");
        server.model.hold();
        CompletableFuture<ResponseObject> response =
                CompletableFuture.supplyAsync(() -> create(path, "\"input\":\"one\""));
        TestServer.await(() -> "a response", () -> server.services.admission().inFlight() == 1);
        ask("DELETE", path, "");
        server.model.release();
        assertThat(response.join().status()).isEqualTo(ResponseStatus.INCOMPLETE);
        assertThat(refused("GET", path, "", 404).message()).contains(id(path));
    }

    @Test
    void promptThatIsOnlyMadeReadyIsPartOfItsConversation() {
        String path = begin("{}");
        ask("POST", "/v1/responses", "{\"generate\":false,\"input\":\"one\",\"conversation\":\"" + id(path) + "\"}");
        assertThat(texts(path)).containsExactly("one");
    }

    @Test
    void conversationsAreTheirTenantsOwn(@TempDir Path folder) {
        TestKeys keys = new TestKeys(folder);
        String key = keys.add("one");
        String other = keys.add("other");
        try (TestServer closed = new TestServer(TestServer.Size.SMALL, keys.open())) {
            String begun = as(closed, key, "POST", "/v1/conversations").body();
            String path =
                    "/v1/conversations/" + Recording.json(begun).path("id").textValue();
            assertThat(as(closed, key, "GET", path).statusCode()).isEqualTo(200);
            assertThat(as(closed, other, "GET", path).statusCode()).isEqualTo(404);
            assertThat(as(closed, other, "GET", path + "/items").statusCode()).isEqualTo(404);
            assertThat(as(closed, other, "DELETE", path).statusCode()).isEqualTo(404);
            assertThat(as(closed, key, "GET", path).statusCode()).isEqualTo(200);
        }
    }

    private static HttpResponse<String> as(TestServer server, String key, String method, String path) {
        return server.send(HttpRequest.newBuilder(server.uri(path))
                .header("Authorization", "Bearer " + key)
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    /v1/responses            | conversation    | {"input":"x","conversation":7}
                    /v1/responses            | conversation.id | {"input":"x","conversation":{}}
                    /v1/responses            | conversation    | {"input":"x","conversation":"conv_1","previous_response_id":"resp_1"}
                    /v1/conversations        | items           | {"items":7}
                    /v1/conversations        | items[0].role   | {"items":[{"role":"robot","content":"x"}]}
                    /v1/conversations        | metadata        | {"metadata":"x"}
                    /v1/conversations/x      | metadata        | {}
                    /v1/conversations/x/items| items           | {}
                    /v1/conversations/x/items| items           | {"items":[]}
                    /v1/conversations/x/items| items[0].type   | {"items":[{"type":"reasoning"}]}
                    """)
    void whatIsWrongIsRefusedByName(String path, String field, String body) {
        assertThat(refused("POST", path, body, 400).param()).isEqualTo(field);
    }

    @Test
    void tooManyItemsAreRefused() {
        String path = begin("{}");
        String item = "{\"role\":\"user\",\"content\":\"" + "x".repeat(40_000) + "\"}";
        String twenty = "{\"items\":[" + item + ",{\"role\":\"user\",\"content\":\"x\"}".repeat(19) + "]}";
        assertThat(refused("POST", path + "/items", twenty.replace("]}", "," + item + "]}"), 400)
                        .message())
                .isEqualTo("items has 21 entries but may have at most 20");
        int added = 0;
        while (server.post(path + "/items", twenty).statusCode() == 200) {
            added++;
        }
        assertThat(added).isBetween(5, 30);
        ApiError full = refused("POST", path + "/items", twenty, 400);
        assertThat(full.code()).isEqualTo("conversation_too_long");
        assertThat(full.message()).contains(id(path), "delete some of it or begin another");
        assertThat(ask("GET", path + "/items?limit=1", "").path("data")).hasSize(1);
    }

    @Test
    void leastRecentlyUsedMakeRoomAndAStoreThatKeepsNothingSaysSo() {
        MemoryStore store = new MemoryStore(2, 4096);
        StoredConversation first = stored("a", Map.of());
        store.put(first);
        store.put(stored("b", Map.of()));
        store.put(StoredResponseTest.stored("c", ""), new StoredEvents(0, List.of()));
        assertThat(store.conversation("t", "a").result()).isEmpty();
        assertThat(store.conversation("t", "b").result()).isPresent();
        assertThat(store.get("t", "b").result()).as("of another kind").isEmpty();
        assertThat(store.delete("t", "b").result()).isFalse();
        assertThat(store.deleteConversation("t", "c").result()).isFalse();
        assertThat(store.change("t", "b", kept -> kept.with(Map.of("a", "x".repeat(9000))))
                        .failed())
                .isTrue();
        assertThat(store.conversation("t", "b").result()).contains(stored("b", Map.of()));
        assertThat(new MemoryStore(0, 4096).put(first).cause()).hasMessageContaining("nothing is kept here");
    }

    private static StoredConversation stored(String id, Map<String, String> metadata) {
        return new StoredConversation(new ConversationObject(id, 1, metadata), "t", List.of());
    }

    /** Begins a conversation and gives its path. */
    private String begin(String body) {
        return "/v1/conversations/"
                + ask("POST", "/v1/conversations", body).path("id").textValue();
    }

    private static String id(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private ResponseObject create(@Nullable String path, String fields) {
        String in = path == null ? "" : ",\"conversation\":\"" + id(path) + "\"";
        return EventReader.response(
                ask("POST", "/v1/responses", "{" + fields + in + GREEDY + "}").toString());
    }

    /** All items, the oldest first. */
    private List<JsonNode> items(String path) {
        return ask("GET", path + "/items?order=asc&limit=100", "")
                .path("data")
                .valueStream()
                .toList();
    }

    private List<String> texts(String path) {
        return items(path).stream()
                .flatMap(item -> item.findValuesAsText("text").stream())
                .toList();
    }

    private static String quoted(String text) {
        return TextNode.valueOf(text).toString();
    }

    private JsonNode ask(String method, String path, String body) {
        HttpResponse<String> reply = send(method, path, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return Recording.json(reply.body());
    }

    private ApiError refused(String method, String path, String body, int status) {
        HttpResponse<String> reply = send(method, path, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        return Objects.requireNonNull(Chunk.read(reply.body()).error());
    }

    private HttpResponse<String> send(String method, String path, String body) {
        return server.send(HttpRequest.newBuilder(server.uri(path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build());
    }
}
