package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ConversationObject;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.RequestWriter;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import io.vertx.core.Future;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Responses and conversations in a database. A server is started again by making another one with the same database. */
final class JdbcStoreTest {
    private static final String GREEDY = ",\"temperature\":0,\"max_output_tokens\":30,\"ignore_eos\":true";
    private static final String HELLO = "{\"input\":\"Hello\"" + GREEDY + "}";
    private static final String ID = "resp_0123456789abcdef01234567";
    private static final Duration KEPT = Duration.ofDays(30);

    private final AtomicLong now = new AtomicLong(System.currentTimeMillis());
    private TestServer server;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server = serve(url());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void whatWasStoredIsGivenAfterARestartAsItWasBeforeIt() {
        List<String> requests = List.of(
                HELLO,
                "{\"input\":[{\"role\":\"user\",\"content\":\"\u00fc\\n\\u2028\"},{\"type\":\"function_call\","
                        + "\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\","
                        + "\"call_id\":\"c\",\"output\":\"5\"}],\"instructions\":\"Sing.\\nLoud.\","
                        + "\"metadata\":{\"a\":\"b\"}" + GREEDY + "}",
                "{\"input\":\"x\",\"include\":[\"message.output_text.logprobs\"],\"top_logprobs\":2" + GREEDY + "}",
                "{\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"strict\":true,\"parameters\":"
                        + "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}}],"
                        + "\"tool_choice\":\"required\"" + GREEDY + "}",
                "{\"input\":\"x\",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"s\",\"schema\":"
                        + "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}}}" + GREEDY + "}",
                "{\"input\":\"x\",\"structured_outputs\":{\"regex\":\"[ab]+\"}" + GREEDY + "}");
        List<String> ids = new ArrayList<>();
        List<String> before = new ArrayList<>();
        for (String request : requests) {
            HttpResponse<String> given = server.post("/v1/responses", request);
            assertThat(given.statusCode()).as(given.body()).isEqualTo(200);
            ids.add(EventReader.response(given.body()).id());
            before.addAll(all(ids.getLast()));
        }
        restart();
        List<String> after = new ArrayList<>();
        ids.forEach(id -> after.addAll(all(id)));
        assertThat(after).isEqualTo(before);
    }

    @Test
    void eventsAreReplayedAfterARestartOnEveryTransport() {
        TestSocket first = server.socket();
        List<String> sent = new ArrayList<>();
        first.socket.textMessageHandler(sent::add);
        first.send("{\"type\":\"response.create\"," + HELLO.substring(1));
        TestServer.await(() -> "the end", () -> !sent.isEmpty() && TestSocket.isEnd(EventReader.read(sent.getLast())));
        String id = ((ServerEvent.Created) EventReader.read(sent.getFirst()).event())
                .response()
                .id();
        restart();
        assertThat(events(id, -1)).isEqualTo(sent);
        assertThat(events(id, 4)).isEqualTo(sent.subList(5, sent.size()));
        assertThat(events(id, sent.size() - 1)).isEmpty();
        assertThat(error(server.get("/v1/responses/" + id + "?stream=true&starting_after=999"), 400))
                .contains("starting_after is 999");
        TestSocket socket = server.socket();
        List<String> again = new ArrayList<>();
        socket.socket.textMessageHandler(again::add);
        socket.send(RequestWriter.clientEvent(new ClientEvent.Resume(null, null, id, 2)));
        TestServer.await(() -> "the events", () -> again.size() == sent.size() - 3);
        assertThat(again).isEqualTo(sent.subList(3, sent.size()));
        assertThat(server.get("/metrics").body()).contains("weir_resumes_total{model_name=\"fake\"} 5.0");
    }

    @Test
    void conversationGoesOnAfterARestart() {
        ResponseObject first = create("\"input\":\"one\"");
        ResponseObject second = create("\"input\":\"two\",\"previous_response_id\":\"" + first.id() + "\"");
        String third = "\"input\":\"three\",\"previous_response_id\":\"" + second.id() + "\"";
        String expected = create(third).text();
        restart();
        assertThat(create(third).text()).isEqualTo(expected);
        String unknown = "{\"input\":\"x\",\"previous_response_id\":\"resp_none\"" + GREEDY + "}";
        assertThat(error(server.post("/v1/responses", unknown), 400)).contains("resp_none");
    }

    @Test
    void deletedResponsesAndThoseNotToBeStoredAreGoneAfterARestart() {
        String deleted = create("\"input\":\"one\"").id();
        String unstored = create("\"input\":\"one\",\"store\":false").id();
        String deletedLater = create("\"input\":\"one\"").id();
        assertThat(delete(deleted)).isEqualTo(200);
        restart();
        for (String id : List.of(deleted, unstored)) {
            assertThat(error(server.get("/v1/responses/" + id), 404)).contains(id);
            assertThat(error(server.get("/v1/responses/" + id + "?stream=true"), 404))
                    .contains(id);
            assertThat(delete(id)).isEqualTo(404);
        }
        assertThat(delete(deletedLater)).isEqualTo(200);
        assertThat(error(server.get("/v1/responses/" + deletedLater), 404)).contains(deletedLater);
    }

    @Test
    void responsesAreKeptForTheirDaysAndKnownToTheirTenantsOnly() throws Exception {
        server.close();
        StoredResponse stored = StoredResponseTest.stored(ID, "text");
        StoredEvents events = new StoredEvents(7, List.of("{\"type\":\"a\"}", "{\"type\":\"b\"}"));
        try (JdbcStore store = store(url())) {
            store.put(stored, events).await(10, TimeUnit.SECONDS);
            store.put(stored, events).await(10, TimeUnit.SECONDS); // once more is as good as once
            assertThat(store.get("t", ID).await(10, TimeUnit.SECONDS)).contains(stored);
            assertThat(store.events("t", ID).await(10, TimeUnit.SECONDS)).contains(events);
            assertThat(store.get("other", ID).await(10, TimeUnit.SECONDS)).isEmpty();
            assertThat(store.events("other", ID).await(10, TimeUnit.SECONDS)).isEmpty();
            assertThat(store.delete("other", ID).await(10, TimeUnit.SECONDS)).isFalse();
        }
        now.addAndGet(KEPT.toMillis());
        try (JdbcStore store = store(url())) {
            assertThat(store.get("t", ID).await(10, TimeUnit.SECONDS)).contains(stored);
        }
        now.addAndGet(1);
        try (JdbcStore store = store(url())) {
            assertThat(store.get("t", ID).await(10, TimeUnit.SECONDS)).isEmpty();
        }
        server = serve(url());
    }

    @Test
    void responsesAreGivenWhileTheDatabaseIsGoneAndThoseThatAreLostAreToldSo() throws Exception {
        server.close();
        try (UnreliableDatabase database = new UnreliableDatabase(url().text())) {
            server = serve(database.url(), Duration.ZERO);
            String kept = create("\"input\":\"one\"").id();
            database.setGone(true);
            String lost = create("\"input\":\"two\"").id();
            awaitForgotten(lost);
            assertThat(error(server.get("/v1/responses/" + lost), 503)).contains("database of stored responses");
            assertThat(error(server.get("/v1/responses/" + kept + "?stream=true"), 503))
                    .contains("database");
            assertThat(error(server.post("/v1/responses", previous(kept)), 503)).contains("database");
            assertThat(delete(kept)).isEqualTo(503);
            assertThat(server.get("/metrics").body()).contains("weir_store_failures_total{model_name=\"fake\"} 5.0");
            database.setGone(false);
            assertThat(server.get("/v1/responses/" + kept).statusCode()).isEqualTo(200);
            assertThat(error(server.get("/v1/responses/" + lost), 404)).contains("was given but not stored");
            assertThat(error(server.get("/v1/responses/" + lost + "?stream=true"), 404))
                    .contains("was given but not stored");
            assertThat(error(server.post("/v1/responses", previous(lost)), 404)).contains("not stored");
            String keptAgain = create("\"input\":\"three\"").id();
            awaitForgotten(keptAgain);
            assertThat(server.get("/v1/responses/" + keptAgain).statusCode()).isEqualTo(200);
            server.close();
        }
        server = serve(url());
    }

    @Test
    void responsesEndWhileTheDatabaseIsSlowAndAreStoredInTheEnd() throws Exception {
        server.close();
        try (UnreliableDatabase database = new UnreliableDatabase(url().text())) {
            server = serve(database.url(), Duration.ZERO);
            database.hold();
            List<String> ids = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                ids.add(create("\"input\":\"one\"").id());
            }
            database.release();
            for (String id : ids) {
                awaitForgotten(id);
                assertThat(server.get("/v1/responses/" + id).statusCode()).isEqualTo(200);
            }
            server.close();
        }
        server = serve(url());
    }

    @Test
    void conversationsAreThereAfterARestartAndForTheirDays() throws Exception {
        String items =
                "[{\"role\":\"user\",\"content\":\"\u00fc\\n\\u2028\"},{\"type\":\"function_call\",\"call_id\":\"c\","
                        + "\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"5\"}]";
        String id = conversation("{\"items\":" + items + ",\"metadata\":{\"a\":\"b\"}}");
        create("\"input\":\"one\",\"conversation\":\"" + id + "\"");
        List<String> paths = List.of("/v1/conversations/" + id, "/v1/conversations/" + id + "/items?order=asc");
        List<String> before =
                paths.stream().map(path -> server.get(path).body()).toList();
        assertThat(before.getLast()).contains("\"5\"", "one", "output_text");
        restart();
        assertThat(paths.stream().map(path -> server.get(path).body())).isEqualTo(before);
        String two = "\"input\":\"two\",\"conversation\":\"" + id + "\"";
        now.addAndGet(KEPT.toMillis() - 1000);
        ResponseObject answer = create(two);
        now.addAndGet(2000);
        restart();
        assertThat(server.get(paths.getLast()).body())
                .contains("two", answer.id().substring("resp".length()));
        now.addAndGet(KEPT.toMillis());
        restart();
        assertThat(error(server.get(paths.getFirst()), 404)).contains(id);
    }

    @Test
    void serversThatShareADatabaseLoseNothingThatTheOthersAdd() throws Exception {
        server.close();
        String id = "conv_0123456789abcdef01234567";
        int each = 40;
        try (JdbcStore one = store(url());
                JdbcStore other = store(url())) {
            one.put(new StoredConversation(new ConversationObject(id, 1, Map.of()), "t", List.of()))
                    .await(10, TimeUnit.SECONDS);
            List<Future<?>> added = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                for (JdbcStore store : List.of(one, other)) {
                    ConversationItem item = new ConversationItem(
                            "msg_" + added.size(), ResponseStatus.COMPLETED, new ChatMessage("user", "x"));
                    added.add(store.change("t", id, kept -> kept.with(List.of(item))));
                }
            }
            for (Future<?> future : added) {
                future.await(30, TimeUnit.SECONDS);
            }
            assertThat(one.conversation("t", id)
                            .await(10, TimeUnit.SECONDS)
                            .orElseThrow()
                            .items())
                    .hasSize(2 * each);
            assertThat(other.deleteConversation("other", id).await(10, TimeUnit.SECONDS))
                    .isFalse();
            assertThat(other.deleteConversation("t", id).await(10, TimeUnit.SECONDS))
                    .isTrue();
            assertThat(one.conversation("t", id).await(10, TimeUnit.SECONDS)).isEmpty();
        }
        server = serve(url());
    }

    @Test
    void responsesThatCannotBeAddedToTheirConversationFailAndItIsAsItWas() throws Exception {
        server.close();
        try (UnreliableDatabase database = new UnreliableDatabase(url().text())) {
            server = serve(database.url(), Duration.ZERO);
            String id = conversation("{\"items\":[{\"role\":\"user\",\"content\":\"one\"}]}");
            server.model.hold();
            TestSocket socket = server.socket();
            socket.send(
                    "{\"type\":\"response.create\",\"input\":\"two\",\"conversation\":\"" + id + "\"" + GREEDY + "}");
            socket.next();
            database.setGone(true);
            server.model.release();
            ServerEvent.Failed end =
                    (ServerEvent.Failed) socket.untilEnd().getLast().event();
            assertThat(Objects.requireNonNull(end.response().error()).message())
                    .contains("the answer could not be added to the conversation " + id, "try again later");
            assertThat(error(server.get("/v1/conversations/" + id), 503)).contains("database");
            assertThat(error(server.post("/v1/conversations", "{}"), 503)).contains("database");
            database.setGone(false);
            String items = "/v1/conversations/" + id + "/items";
            assertThat(server.get(items).body()).contains("one").doesNotContain("two");
            create("\"input\":\"three\",\"conversation\":\"" + id + "\"");
            assertThat(server.get(items).body()).contains("one", "three");
            server.close();
        }
        server = serve(url());
    }

    private String conversation(String body) {
        HttpResponse<String> reply = server.post("/v1/conversations", body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return Recording.json(reply.body()).path("id").textValue();
    }

    @Test
    void databasesThatCannotBeUsedAreToldInOneLineWithoutTheirPasswords() {
        assertThatThrownBy(() -> store(new JdbcUrl("jdbc:none:x?user=a&password=secret&b=c")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("store is jdbc:none:x?user=a&password=***&b=c but no driver on the class path knows it;"
                        + " put its jar into WEIR_CLASS_PATH");
        assertThatThrownBy(() -> store(new JdbcUrl("jdbc:h2:file:" + folder.resolve("none") + ";IFEXISTS=TRUE")))
                .hasMessageContaining("but the database cannot be used: Database")
                .hasMessageContaining("not found");
        for (String password : List.of("secret", "s/ecret", "s@e:cret")) {
            JdbcUrl url = new JdbcUrl("jdbc:mysql://me:" + password + "@host/db");
            assertThat(url).hasToString("jdbc:mysql://***@host/db");
            assertThat(url.hiddenIn("cannot parse " + url.text() + "!")).isEqualTo("cannot parse " + url + "!");
        }
        JdbcUrl file = new JdbcUrl("jdbc:h2:file:x;PASSWORD=secret");
        assertThat(file.hiddenIn("no " + file.forDriver())).doesNotContain("secret");
    }

    private JdbcUrl url() {
        return new JdbcUrl("jdbc:h2:file:" + folder.resolve("responses"));
    }

    private JdbcStore store(JdbcUrl url) {
        return new JdbcStore(url, KEPT, now::get);
    }

    private TestServer serve(JdbcUrl url) {
        return serve(url, ResumeLimits.DEFAULT.kept());
    }

    /** A server that has ended responses at hand for a while. */
    private TestServer serve(JdbcUrl url, Duration atHand) {
        ResumeLimits resume = new ResumeLimits(1 << 20, atHand, Duration.ofSeconds(30));
        return new TestServer(
                TestServer.Size.SMALL.withLimits(
                        ServerLimits.DEFAULT.withStreamInterval(Duration.ZERO).withResume(resume)),
                null,
                store(url));
    }

    private void restart() {
        server.close();
        server = serve(url());
    }

    private void awaitForgotten(String id) {
        TestServer.await(
                () -> id + " to be no longer at hand",
                () -> server.services.responses().find(Caller.ANYONE, id) == null);
    }

    /** All that can be asked of a response. */
    private List<String> all(String id) {
        List<String> all = new ArrayList<>(events(id, -1));
        for (String path : List.of("", "/input_items?order=asc")) {
            HttpResponse<String> reply = server.get("/v1/responses/" + id + path);
            assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
            all.add(reply.body());
        }
        return all;
    }

    private List<String> events(String id, int after) {
        HttpResponse<String> reply =
                server.get("/v1/responses/" + id + "?stream=true" + (after < 0 ? "" : "&starting_after=" + after));
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return CutConnection.data(reply.body());
    }

    private ResponseObject create(String fields) {
        HttpResponse<String> reply = server.post("/v1/responses", "{" + fields + GREEDY + "}");
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return EventReader.response(reply.body());
    }

    private static String previous(String id) {
        return "{\"input\":\"x\",\"previous_response_id\":\"" + id + "\"" + GREEDY + "}";
    }

    private int delete(String id) {
        return server.send(HttpRequest.newBuilder(server.uri("/v1/responses/" + id))
                        .DELETE()
                        .build())
                .statusCode();
    }

    private static String error(HttpResponse<String> reply, int status) {
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        return Objects.requireNonNull(Chunk.read(reply.body()).error()).message();
    }
}
