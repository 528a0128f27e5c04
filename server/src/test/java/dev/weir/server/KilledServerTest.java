package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.EventReader;
import dev.weir.protocol.ResponseObject;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a server at a random moment while it stores responses and adds them to conversations. {@code -Dweir.kills=20} does it more often than a build has time for. */
final class KilledServerTest {
    private static final int KILLS = Integer.getInteger("weir.kills", 1);
    private static final int CLIENTS = 4;
    private static final int IN_CONVERSATION = 4;

    @TempDir
    private Path folder;

    @Test
    void responsesWhoseEndWasHeardOfSurviveAKillInTheirConversationsToo() throws Exception {
        String store = "--store=jdbc:h2:file:" + folder.resolve("responses");
        Map<String, String> heard = new ConcurrentHashMap<>();
        Map<String, Queue<String>> added = new ConcurrentHashMap<>();
        Random random = new Random();
        for (int i = 0; i < KILLS; i++) {
            int before = heard.size();
            try (ServerProcess server = new ServerProcess(store)) {
                Thread[] clients = new Thread[CLIENTS];
                for (int j = 0; j < CLIENTS; j++) {
                    clients[j] = Thread.ofVirtual().start(() -> converse(server, heard, added));
                }
                TestServer.await(() -> "responses", () -> heard.size() > before + 3 * CLIENTS);
                server.process.waitFor(random.nextInt(300), TimeUnit.MILLISECONDS);
                server.process.destroyForcibly().waitFor();
                for (Thread client : clients) {
                    client.join();
                }
            }
        }
        try (ServerProcess server = new ServerProcess(store)) {
            for (Map.Entry<String, String> response : heard.entrySet()) {
                HttpResponse<String> found = server.get("/v1/responses/" + response.getKey());
                assertThat(found.body()).isEqualTo(response.getValue());
                HttpResponse<String> events = server.get("/v1/responses/" + response.getKey() + "?stream=true");
                assertThat(events.body()).contains("response.created").contains("event: response.incomplete");
            }
            for (Map.Entry<String, Queue<String>> conversation : added.entrySet()) {
                HttpResponse<String> items =
                        server.get("/v1/conversations/" + conversation.getKey() + "/items?order=asc&limit=100");
                assertThat(items.statusCode()).as(items.body()).isEqualTo(200);
                for (String item : conversation.getValue()) {
                    assertThat(items.body()).contains(item);
                }
            }
        }
    }

    /**
     * Asks, each time going on from the answer before or in a conversation, until the server is gone.
     *
     * @param added names of the items that each conversation has by what the server said
     */
    private static void converse(ServerProcess server, Map<String, String> heard, Map<String, Queue<String>> added) {
        try {
            for (int i = 0; i < 1000; i++) {
                String begun = server.post("/v1/conversations", "{}").body();
                String conversation = Recording.json(begun).path("id").textValue();
                added.put(conversation, new ConcurrentLinkedQueue<>());
                String goesOnFrom = "\"conversation\":\"" + conversation + "\"";
                for (int j = 0; j < 8; j++) {
                    ResponseObject answer = ask(server, goesOnFrom, heard);
                    if (j < IN_CONVERSATION) {
                        added.get(conversation).add(answer.output().getFirst().id());
                    }
                    goesOnFrom =
                            j < IN_CONVERSATION - 1 ? goesOnFrom : "\"previous_response_id\":\"" + answer.id() + "\"";
                }
            }
        } catch (IOException _) {
            // killed
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ResponseObject ask(ServerProcess server, String goesOnFrom, Map<String, String> heard)
            throws IOException, InterruptedException {
        String answer = server.post(
                        "/v1/responses",
                        "{\"input\":\"ab\",\"max_output_tokens\":8,\"ignore_eos\":true," + goesOnFrom + "}")
                .body();
        ResponseObject response = EventReader.response(answer);
        heard.put(response.id(), answer);
        return response;
    }
}
