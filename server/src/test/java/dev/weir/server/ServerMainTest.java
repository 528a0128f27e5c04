package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ServerMainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path folder;

    @Test
    void processServesTheModelUntilItIsToldToStopAndThenExitsWithZero() throws Exception {
        Path config = folder.resolve("weir.properties");
        Files.writeString(config, "# comment\nport = 1\nmax-sequences = 3\nevent-loops = 1\n");
        try (ServerProcess server = new ServerProcess("--config", config.toString())) {
            assertThat(server.lines)
                    .contains("prefix-cache-memory = 192k") // half of 3 sequences of 128 tokens of 1 KiB
                    .contains("max-sequences = 3", "max-tokens = 128", "threads = 1", "event-loops = 1");
            assertThat(server.lines.getLast()).matches("Weir is listening on http://127\\.0\\.0\\.1:\\d+");
            HttpResponse<String> reply = server.post(
                    "/v1/completions",
                    "{\"prompt\":\"ab\",\"max_tokens\":4,\"ignore_eos\":true,\"model\":\"tiny-fp32\"}");
            assertThat(reply.body()).contains("\"completion_tokens\":4");
            HttpResponse<String> chat = server.post(
                    "/v1/chat/completions",
                    "{\"messages\":[{\"role\":\"user\",\"content\":\"ab\"}],\"max_tokens\":4,\"ignore_eos\":true}");
            assertThat(chat.body()).contains("\"prompt_tokens\":1").contains("\"completion_tokens\":4");
            assertThat(server.process.toHandle().destroy()).isTrue(); // SIGTERM
            assertThat(server.process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(server.process.exitValue()).isZero();
            assertThat(server.output.readLine()).isNull();
        }
    }

    @Test
    void takenPortIsToldInOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(taken.getLocalPort());
            assertThat(run("serve", "--model", ServerProcess.TINY.toString(), "--port", port))
                    .isEqualTo(1);
            assertThat(err.toString())
                    .isEqualToIgnoringNewLines(
                            "weir: port " + port + " of 127.0.0.1 is taken; choose another --port, 0 takes a free one");
        }
    }

    @Test
    void unknownKeyOfAConfigurationFileIsRefusedNamingTheNearest() throws Exception {
        Path config = folder.resolve("weir.properties");
        Files.writeString(config, "max-sequence = 3\n");
        assertThat(run("serve", "--config=" + config)).isEqualTo(2);
        assertThat(err.toString()).contains("sets max-sequence").contains("did you mean max-sequences?");
    }

    @Test
    void badValuesAreRefusedNamingThem() throws Exception {
        Path config = folder.resolve("weir.properties");
        Files.writeString(config, "kv-cache-memory = lots\n");
        assertThat(run("serve", "--config", config.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("lots").contains("kv-cache-memory");
        assertThat(run("serve", "--port", "70000")).isEqualTo(2);
        assertThat(err.toString()).contains("port is 70000");
        assertThat(run("serve", "--grace-time=-1")).isEqualTo(2);
        assertThat(err.toString()).contains("grace-time is -1");
        assertThat(run("serve", "--stall-time=0")).isEqualTo(2);
        assertThat(err.toString()).contains("stall-time is 0");
        assertThat(run("serve", "--store-responses=-1")).isEqualTo(2);
        assertThat(err.toString()).contains("store-responses is -1");
        assertThat(run("serve", "--drain-time=-1")).isEqualTo(2);
        assertThat(err.toString()).contains("drain-time is -1");
        assertThat(run("serve", "--store-days=0")).isEqualTo(2);
        assertThat(err.toString()).contains("store-days is 0 but must be from 1");
        assertThat(run("serve", "--store=/tmp/responses")).isEqualTo(2);
        assertThat(err.toString()).contains("'/tmp/responses' is no JDBC URL");
        assertThat(run("serve", "--model", ServerProcess.TINY.toString(), "--store=jdbc:h2:responses"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("store is jdbc:h2:responses but the database cannot be used");
        assertThat(run("serve", "--model", ServerProcess.TINY.toString(), "--max-sequences", "0"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("max-sequences is 0");
        assertThat(run("serve", "--model", folder.resolve("none").toString())).isEqualTo(1);
        assertThat(err.toString()).contains("there is no model folder");
        assertThat(run("serve", "--model", ServerProcess.TINY.toString(), "--prefix-cache-memory", "1k"))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("prefix-cache-memory is 1024")
                .contains("one block of 16 tokens takes 16384");
        assertThat(run("serve", "--device", "cuda:0,0")).isEqualTo(2);
        assertThat(err.toString()).contains("device is cuda:0,0 but must name each GPU once");
        assertThat(run("serve", "--model", ServerProcess.TINY.toString(), "--device", "cuda:1,0"))
                .isEqualTo(1);
        assertThat(err.toString())
                .contains("cuda:1 cannot be used: the model tiny-fp32 has no paged attention")
                .contains("--target cuda");
        assertThat(run("serve", "--config", folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("there is no configuration file");
        assertThat(run("serve", "--prot", "1")).isEqualTo(2);
        assertThat(err.toString()).contains("--prot");
    }

    @Test
    void addressThatOthersReachNeedsKeysAndTlsOrAWordThatItIsMeant() throws Exception {
        String[] remedies = {"--api-keys FILE", "./weir key create", "--tls-cert FILE", "--allow-open"};
        assertThat(run("serve", "--host", "0.0.0.0")).isEqualTo(2);
        assertThat(err.toString())
                .contains("host is 0.0.0.0, which other machines may reach, but there are neither API keys nor TLS")
                .contains(remedies);
        assertThat(run("serve", "--host=::", "--api-keys=keys.json")).isEqualTo(2);
        assertThat(err.toString())
                .contains("host is ::", "there is no TLS, so that keys and texts travel in the clear");
        assertThat(run("serve", "--host=0.0.0.0", "--tls-cert=c.pem", "--tls-key=k.pem"))
                .isEqualTo(2);
        assertThat(err.toString()).contains("there are no API keys, so that anybody may use it");
        String none = folder.resolve("none").toString();
        for (String[] meant : new String[][] {
            {"--host=0.0.0.0", "--allow-open"},
            {"--host=0.0.0.0", "--api-keys=keys.json", "--tls-cert=c.pem", "--tls-key=k.pem"},
            {"--host=localhost", "--allowed-origin=https://a.example, https://b.example"},
            {"--host=::1"}
        }) {
            List<String> command = new ArrayList<>(List.of("serve", "--model", none));
            command.addAll(List.of(meant));
            assertThat(run(command.toArray(String[]::new)))
                    .as(command.toString())
                    .isEqualTo(1); // for want of a model
        }
    }

    @Test
    void filesAndOriginsThatCannotBeUsedAreToldInOneLine() {
        assertThat(run("serve", "--tls-cert=c.pem")).isEqualTo(2);
        assertThat(err.toString()).contains("tls-cert is set but tls-key is not; name both");
        assertThat(run("serve", "--allowed-origin=example.org")).isEqualTo(2);
        assertThat(err.toString())
                .contains("allowed-origin is \"example.org\"")
                .contains("such as https://example.org");
        String[] served = {"serve", "--model", ServerProcess.TINY.toString(), "--port=0"};
        String none = folder.resolve("none").toString();
        assertThat(run(served[0], served[1], served[2], served[3], "--api-keys", none))
                .isEqualTo(1);
        assertThat(err.toString()).contains("there is no key file " + none).contains("weir key create");
        assertThat(run(served[0], served[1], served[2], served[3], "--tls-cert", none, "--tls-key", none))
                .isEqualTo(1);
        assertThat(err.toString()).contains("cannot read tls-cert " + none);
    }

    @Test
    void memorySizesAreReadAndWrittenAlike() {
        MemorySize.Converter converter = new MemorySize.Converter();
        for (String written : new String[] {"0", "1500", "512m", "4g", "3k", "1t"}) {
            assertThat(converter.convert(written)).hasToString(written);
        }
        assertThat(converter.convert("2 GiB").bytes()).isEqualTo(2L << 30);
    }

    private int run(String... arguments) {
        return ServerMain.run(new PrintWriter(out, true), new PrintWriter(err, true), arguments);
    }
}
