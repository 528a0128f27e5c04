package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A server over real sockets with the model of a folder. Closing it fails if an event loop was ever blocked. */
final class FolderServer implements AutoCloseable {
    final Services services;
    private final WeirServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    private final EventLoopWatch watch = new EventLoopWatch();

    /** A server that asks for one of these keys; null asks for none. */
    FolderServer(Path path, int maxTokens, @Nullable KeyRing keys) {
        try {
            ModelFolder folder = ModelFolder.open(path);
            Tokenizer tokenizer = Tokenizer.load(path);
            Heads heads = Heads.open(folder, tokenizer, 1);
            Metrics metrics = new Metrics(folder.name());
            RunnerOptions options = new RunnerOptions(2, 0, maxTokens, 1, 0);
            Engine engine = Engine.start(OnnxModelRunner.open(folder, options), EngineConfig.DEFAULT, metrics);
            ModelService model = new ModelService(
                    folder.name(),
                    tokenizer,
                    ChatTemplate.load(path).orElse(null),
                    GenerationDefaults.load(folder),
                    engine,
                    heads);
            Store store = new MemoryStore(10, 1 << 20);
            services = new Services(
                    model,
                    new Admission(engine::stats),
                    metrics,
                    ServerLimits.DEFAULT,
                    new Responses(ResumeLimits.DEFAULT, store),
                    new Conversations(store, ServerLimits.DEFAULT.messageBytes()),
                    keys,
                    Origins.OWN);
            server = WeirServer.start(services, "127.0.0.1", 0, null, 1, watch.options());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String url() {
        return server.url();
    }

    HttpResponse<String> post(String path, String body) {
        return post(path, body, null);
    }

    HttpResponse<String> post(String path, String body, @Nullable String key) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(server.url() + path)).POST(HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
        watch.close();
    }
}
