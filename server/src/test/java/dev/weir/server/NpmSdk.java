package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The stock {@code openai} package of npm against the server. No test of the build, which has neither Node nor the package: {@code
 * npm install --prefix DIR openai ws}, then {@code WEIR_NODE_MODULES=DIR/node_modules ./mvnw -pl server -am test -Dtest=NpmSdk
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
@Timeout(60)
class NpmSdk {
    @Test
    void chatsStreamsConversesCallsToolsCancelsAndIsRefused() throws Exception {
        Objects.requireNonNull(
                System.getenv("WEIR_NODE_MODULES"), "set WEIR_NODE_MODULES to the folder with openai and ws");
        TestServer.Size size = TestServer.Size.SMALL.withMaxTokens(4096).withStepNanos(2_000_000);
        try (TestServer server = new TestServer(size)) {
            Process node = new ProcessBuilder("node", "src/test/node/openai-sdk.mjs", server.server.url())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(node.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(node.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(said).contains("all is well");
            assertThat(node.exitValue()).isZero();
            server.awaitIdle();
        }
    }
}
