package dev.weir.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code serve} in a process of its own, with a tiny model. Closing it kills the process. */
final class ServerProcess implements AutoCloseable {
    static final Path TINY = Path.of("..", "src", "onnx", "src", "test", "resources", "models", "tiny-fp32");

    /** All that it printed until it listened. */
    final List<String> lines = new ArrayList<>();

    final Process process;
    final BufferedReader output;
    final URI url;
    private final HttpClient http = HttpClient.newHttpClient();

    /** Starts it on a free port and waits until it listens. */
    ServerProcess(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                ServerMain.class.getName(),
                "serve",
                "--model",
                TINY.toString(),
                "--port=0",
                "--threads=1"));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command).redirectErrorStream(true).start();
        output = process.inputReader(StandardCharsets.UTF_8);
        String line;
        do {
            line = output.readLine();
            if (line == null) {
                throw new AssertionError("the server did not start: " + lines);
            }
            lines.add(line);
        } while (!line.startsWith("Weir is listening"));
        url = URI.create(line.replaceFirst(".* ", ""));
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(url.resolve(path)).build());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(url.resolve(path))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build());
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
        return http.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Override
    public void close() {
        process.destroyForcibly();
        http.close();
    }
}
