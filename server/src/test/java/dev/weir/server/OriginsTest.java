package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.protocol.Chunk;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.net.HostAndPort;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OriginsTest {
    private static final Origins NAMED = Origins.of(List.of(WebOrigin.of("o", "https://Example.org:443")));
    private static final String BODY = "{\"prompt\":\"x\",\"max_tokens\":1}";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = new TestServer(TestServer.Size.SMALL, null, NAMED, null);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(textBlock = """
                    https://example.org,       weir.test:8080,  true
                    https://EXAMPLE.org:443,   weir.test:8080,  true
                    http://example.org,        weir.test:8080,  false
                    https://example.org:8443,  weir.test:8080,  false
                    https://a.example.org,     weir.test:8080,  false
                    https://example.org.evil,  weir.test:8080,  false
                    http://weir.test:8080,     weir.test:8080,  true
                    http://WEIR.test:8080,     weir.TEST:8080,  true
                    http://weir.test:8081,     weir.test:8080,  false
                    http://weir.test,          weir.test,       true
                    https://weir.test,         weir.test,       true
                    https://weir.test,         weir.test:443,   true
                    https://weir.test,         weir.test:80,    false
                    http://[2001:db8::1]:8080, [2001:db8::1]:8080, true
                    http://localhost:5173,     weir.test:8080,  true
                    http://app.localhost,      weir.test:8080,  true
                    http://127.0.0.1:3000,     weir.test:8080,  true
                    http://[::1]:3000,         weir.test:8080,  true
                    http://127.evil.example,   weir.test:8080,  false
                    http://localhost.evil,     weir.test:8080,  false
                    http://evil@localhost,     weir.test:8080,  false
                    null,                      weir.test:8080,  false
                    http://,                   weir.test:8080,  false
                    file:///tmp/a.html,        weir.test:8080,  false
                    """)
    void pagesOfTheServerOfTheBrowsersMachineAndOfNamedOriginsAreAllowed(
            String origin, String authority, boolean allowed) {
        assertThat(NAMED.allows(origin, HostAndPort.parseAuthority(authority, -1)))
                .isEqualTo(allowed);
    }

    @ParameterizedTest
    @CsvSource({"example.org", "https://example.org/", "https://example.org/a", "*", "https://"})
    void optionThatIsNoOriginIsRefusedNamingTheForm(String text) {
        assertThatThrownBy(() -> WebOrigin.of("allowed-origin", text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("allowed-origin is \"" + text + "\"")
                .hasMessageContaining("such as https://example.org");
    }

    @Test
    void pagesOfOtherOriginsMayNeitherPostNorDeleteNorOpenAWebSocket() throws Exception {
        for (String path : new String[] {"/v1/completions", "/tokenize", "/nothing"}) {
            String reply = raw("POST " + path, "https://evil.example", BODY);
            assertThat(reply).startsWith("HTTP/1.1 403").doesNotContain("access-control");
            String json = reply.substring(reply.indexOf('{'));
            assertThat(Objects.requireNonNull(Chunk.read(json).error()).code()).isEqualTo("origin_not_allowed");
        }
        assertThat(raw("POST /v1/completions", "http://127.0.0.1:" + server.server.port(), BODY))
                .startsWith("HTTP/1.1 200")
                .doesNotContain("access-control");
        assertThat(raw("DELETE /v1/responses/resp_1", "https://evil.example", ""))
                .startsWith("HTTP/1.1 403");
        assertThat(raw("GET /v1/models", "https://evil.example", "")).startsWith("HTTP/1.1 200");
        assertThatThrownBy(() -> server.socket(webSocket("https://evil.example")))
                .hasCauseInstanceOf(UpgradeRejectedException.class)
                .satisfies(thrown -> assertThat(((UpgradeRejectedException) thrown.getCause()).getStatus())
                        .isEqualTo(403));
        server.socket(webSocket("https://example.org")).socket.close();
        server.socket(webSocket("http://localhost:9")).socket.close();
    }

    @Test
    void pagesOfNamedOriginsAreAnsweredUnderCorsAndNoOthers() throws Exception {
        String preflight = raw(
                "OPTIONS /v1/completions",
                "https://example.org",
                "",
                "Access-Control-Request-Method: POST",
                "Access-Control-Request-Headers: authorization,x-stainless-lang");
        assertThat(preflight)
                .startsWith("HTTP/1.1 204")
                .contains("access-control-allow-origin: https://example.org\r\n")
                .contains("access-control-allow-headers: authorization,x-stainless-lang\r\n")
                .contains("access-control-allow-methods: get, post, delete\r\n")
                .contains("vary: origin\r\n");
        assertThat(raw("POST /v1/completions", "https://example.org", BODY))
                .startsWith("HTTP/1.1 200")
                .contains("access-control-allow-origin: https://example.org\r\n")
                .contains("access-control-expose-headers: retry-after");
        assertThat(raw("POST /v1/completions", "https://example.org", "{"))
                .startsWith("HTTP/1.1 400")
                .contains("access-control-allow-origin: https://example.org\r\n");
        assertThat(raw("OPTIONS /v1/completions", "http://localhost:5173", "", "Access-Control-Request-Method: POST"))
                .startsWith("HTTP/1.1 405")
                .doesNotContain("access-control");
    }

    private static WebSocketConnectOptions webSocket(String origin) {
        return new WebSocketConnectOptions()
                .setHost("127.0.0.1")
                .setPort(server.server.port())
                .setURI("/v1/responses")
                .addHeader("Origin", origin);
    }

    /** The reply to a request with an origin, which the JDK's client would not send; its headers in lower case. */
    private static String raw(String start, String origin, String body, String... headers) throws Exception {
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), server.server.port())) {
            client.setSoTimeout(20_000);
            String request = start + " HTTP/1.1\r\nHost: 127.0.0.1:" + server.server.port() + "\r\nOrigin: " + origin
                    + "\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n"
                    + String.join(
                            "",
                            List.of(headers).stream()
                                    .map(header -> header + "\r\n")
                                    .toList()) + "\r\n" + body;
            client.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            InputStream in = client.getInputStream();
            String reply = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            int end = reply.indexOf("\r\n\r\n");
            int line = reply.indexOf("\r\n");
            return reply.substring(0, line)
                    + reply.substring(line, end + 4).toLowerCase(Locale.ROOT)
                    + reply.substring(end + 4);
        }
    }
}
