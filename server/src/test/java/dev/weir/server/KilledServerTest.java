package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.protocol.EventReader;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Kills a server at a random moment while it stores responses. {@code -Dweir.kills=20} does it more often than a build has time for. */
final class KilledServerTest {
    private static final int KILLS = Integer.getInteger("weir.kills", 1);
    private static final int CLIENTS = 4;

    @TempDir
    private Path folder;

    @Test
    void responsesWhoseEndWasHeardOfSurviveAKill() throws Exception {
        String store = "--store=jdbc:h2:file:" + folder.resolve("responses");
        Map<String, String> heard = new ConcurrentHashMap<>();
        Random random = new Random();
        for (int i = 0; i < KILLS; i++) {
            int before = heard.size();
            try (ServerProcess server = new ServerProcess(store)) {
                Thread[] clients = new Thread[CLIENTS];
                for (int j = 0; j < CLIENTS; j++) {
                    clients[j] = Thread.ofVirtual().start(() -> converse(server, heard));
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
        }
    }

    /** Asks, each time going on from the answer before, until the server is gone. */
    private static void converse(ServerProcess server, Map<String, String> heard) {
        String previous = "null";
        try {
            for (int i = 0; i < 1000; i++) {
                String answer = server.post(
                                "/v1/responses",
                                "{\"input\":\"ab\",\"max_output_tokens\":8,\"ignore_eos\":true,\"previous_response_id\":"
                                        + (i % 4 == 0 ? "null" : previous) + "}")
                        .body();
                String id = EventReader.response(answer).id();
                heard.put(id, answer);
                previous = '"' + id + '"';
            }
        } catch (IOException _) {
            // killed
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
