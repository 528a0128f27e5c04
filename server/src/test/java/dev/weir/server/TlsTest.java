package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TlsTest {
    private static final String BODY = "{\"prompt\":\"x\",\"max_tokens\":1,\"ignore_eos\":true}";

    @TempDir
    private Path folder;

    @Test
    void serverSpeaksHttp2AndWebSocketsOverTlsAndShowsANewCertificateWithoutAStop() throws Exception {
        TestCertificate first = new TestCertificate(folder, "first", "EC");
        TestCertificate second = new TestCertificate(folder, "second", "RSA");
        Path certificate = folder.resolve("cert.pem");
        Path key = folder.resolve("key.pem");
        first.writeCertificate(certificate);
        first.writeKey(key);
        try (TestServer server =
                        new TestServer(TestServer.Size.SMALL, null, Origins.OWN, new TlsFiles(certificate, key));
                HttpClient trustsFirst = client(first)) {
            assertThat(server.server.url()).startsWith("https://127.0.0.1:");
            HttpResponse<String> reply = post(trustsFirst, server);
            assertThat(reply.statusCode()).isEqualTo(200);
            assertThat(reply.version()).isEqualTo(HttpClient.Version.HTTP_2);
            WebSocket socket = trustsFirst
                    .newWebSocketBuilder()
                    .buildAsync(
                            URI.create(server.uri("/v1/responses").toString().replace("https", "wss")),
                            new WebSocket.Listener() {})
                    .get(20, TimeUnit.SECONDS);

            second.writeCertificate(certificate); // which the server does not take until the key belongs to it
            second.writeKey(key);
            TestServer.await(() -> "the second certificate", () -> isTrusted(second, server));
            try (HttpClient trustsSecond = client(second)) {
                assertThat(post(trustsSecond, server).version()).isEqualTo(HttpClient.Version.HTTP_2);
            }
            assertThat(isTrusted(first, server)).isFalse();
            assertThat(post(trustsFirst, server).statusCode())
                    .as("on the open connection")
                    .isEqualTo(200);
            assertThat(socket.isInputClosed()).isFalse();
            socket.abort();
        }
    }

    @Test
    void filesThatCannotBeUsedAreRefusedNamingThem() throws Exception {
        TestCertificate first = new TestCertificate(folder, "first", "EC");
        TestCertificate second = new TestCertificate(folder, "second", "EC");
        Path certificate = folder.resolve("cert.pem");
        Path key = folder.resolve("key.pem");
        first.writeCertificate(certificate);
        Vertx vertx = Vertx.vertx();
        try {
            TlsFiles files = new TlsFiles(certificate, key);
            assertThatThrownBy(() -> files.read(vertx)).hasMessageContaining("cannot read tls-key " + key);
            second.writeKey(key);
            assertThat(files.hasChanged()).isTrue();
            assertThat(files.hasChanged()).isFalse();
            assertThatThrownBy(() -> files.read(vertx))
                    .hasMessageContaining("tls-key " + key + " is not the key of tls-cert " + certificate);
            first.writeKey(key);
            assertThat(files.read(vertx)).isNotNull();
            Files.writeString(certificate, "no certificate");
            assertThatThrownBy(() -> files.read(vertx)).hasMessageContaining("cannot use tls-cert " + certificate);
        } finally {
            vertx.close().toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
        }
    }

    private static boolean isTrusted(TestCertificate certificate, TestServer server) {
        try (HttpClient client = client(certificate)) {
            return post(client, server).statusCode() == 200;
        } catch (UncheckedIOException e) {
            assertThat(e.getCause()).isInstanceOf(SSLHandshakeException.class);
            return false;
        }
    }

    private static HttpClient client(TestCertificate certificate) {
        return HttpClient.newBuilder().sslContext(certificate.trust()).build();
    }

    private static HttpResponse<String> post(HttpClient client, TestServer server) {
        try {
            return client.send(
                    HttpRequest.newBuilder(server.uri("/v1/completions"))
                            .timeout(Duration.ofSeconds(60))
                            .POST(HttpRequest.BodyPublishers.ofString(BODY))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
