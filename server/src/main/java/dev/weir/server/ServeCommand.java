package dev.weir.server;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.ModelRunner;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.ModelLoadException;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code serve}: loads a model and serves it until the process is told to stop. */
@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Serves a model over WebSocket and HTTP, with a chat page at /.",
            "Each option may also stand in the --config file as a line such as port = 8080; what is given here wins."
        })
final class ServeCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR", description = "The model folder. Default: the built-in weir-mini.")
    private @Nullable Path model;

    @Mixin
    private final ComputeOptions compute = new ComputeOptions();

    @Mixin
    private final ListenOptions listen = new ListenOptions();

    @Option(
            names = "--event-loops",
            paramLabel = "N",
            description = "Threads that serve connections; 0 is one per four processors. Default: ${DEFAULT-VALUE}.")
    private int eventLoops;

    @Option(
            names = "--stream-interval",
            paramLabel = "MS",
            description =
                    "Milliseconds in which the tokens of a stream gather that come sooner than half of that one after the other;"
                            + " 0 sends each token by itself. Default: ${DEFAULT-VALUE}.")
    private int streamInterval =
            Math.toIntExact(ServerLimits.DEFAULT.streamInterval().toMillis());

    @Mixin
    private final ResumeOptions resume = new ResumeOptions();

    @Mixin
    private final StoreOptions stored = new StoreOptions();

    @Option(names = ConfigFile.OPTION, paramLabel = "FILE", description = "File with these options, one per line.")
    @SuppressWarnings("UnusedVariable") // ConfigFile reads it from the arguments, before picocli sees them
    private @Nullable Path config;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        try {
            listen.check();
            compute.check();
            resume.apply(ServerLimits.DEFAULT);
            stored.check();
        } catch (IllegalArgumentException e) {
            err.println("weir: " + e.getMessage());
            return 2;
        }
        if (streamInterval < 0) {
            err.println("weir: stream-interval is " + streamInterval + " but must be 0 or more");
            return 2;
        }
        if (eventLoops == 0) {
            eventLoops = Math.max(1, Runtime.getRuntime().availableProcessors() / 4);
        }
        model = model == null ? builtInModel() : model.toAbsolutePath().normalize();
        WeirServer server;
        try {
            server = start(ModelFolder.open(model));
        } catch (ModelLoadException | IllegalArgumentException | IOException e) {
            err.println("weir: " + e.getMessage());
            return 1;
        }
        listen.bound(server.port());
        if (!stored.warning().isEmpty()) {
            err.println("weir: " + stored.warning());
        }
        printConfiguration(out);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server, resume.drainTime(), stopped), "weir-stop"));
        out.println("Weir is listening on " + server.url());
        out.flush();
        stopped.await(); // for good: the process ends in the shutdown hook
        return 0;
    }

    private WeirServer start(ModelFolder folder) throws IOException {
        Store store = stored.open(listen.port());
        try {
            return start(folder, store);
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    private WeirServer start(ModelFolder folder, Store store) throws IOException {
        KeyRing keys = listen.keys();
        TlsFiles tls = listen.tls();
        Tokenizer tokenizer = Tokenizer.load(folder.path());
        ChatTemplate template = ChatTemplate.load(folder.path()).orElse(null);
        GenerationDefaults defaults = GenerationDefaults.load(folder);
        EngineConfig config = compute.engine();
        Heads heads = Heads.open(folder, tokenizer, compute.threads());
        List<? extends ModelRunner> runners =
                compute.open(folder, spec.commandLine().getErr());
        Metrics metrics = new Metrics(folder.name());
        Engine engine = Engine.start(runners, config, metrics);
        ModelService service = new ModelService(folder.name(), tokenizer, template, defaults, engine, heads);
        ServerLimits limits = resume.apply(ServerLimits.DEFAULT.withStreamInterval(Duration.ofMillis(streamInterval)));
        Responses responses = new Responses(limits.resume(), store);
        Services services = new Services(
                service,
                new Admission(engine::stats),
                metrics,
                limits,
                responses,
                new Conversations(store, limits.messageBytes()),
                keys,
                listen.origins());
        try {
            return WeirServer.start(services, listen.host(), listen.port(), tls, eventLoops, new VertxOptions());
        } catch (IOException e) {
            service.close();
            String reason = String.valueOf(e.getMessage());
            String host = listen.host();
            int port = listen.port();
            throw new IOException(
                    reason.contains("in use")
                            ? "port " + port + " of " + host + " is taken; choose another --port, 0 takes a free one"
                            : "cannot listen on " + host + ":" + port + ": " + reason,
                    e);
        } catch (IllegalArgumentException e) {
            service.close();
            throw e;
        }
    }

    private static void stop(WeirServer server, Duration patience, CountDownLatch stopped) {
        StopSignals.endAtOnce();
        try {
            server.drain(patience);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.close();
        stopped.countDown();
        // A process that was asked to stop and did has not failed, but the JVM would say 143 after SIGTERM.
        Runtime.getRuntime().halt(0);
    }

    private void printConfiguration(PrintWriter out) {
        for (OptionSpec option : spec.options()) {
            if (!option.usageHelp() && !option.versionHelp() && option.getValue() != null) {
                Object value = option.getValue();
                String shown = value instanceof Collection<?> several
                        ? several.stream().map(String::valueOf).collect(Collectors.joining(","))
                        : String.valueOf(value);
                out.printf(Locale.ROOT, "%s = %s%n", ConfigFile.key(option), shown);
            }
        }
        out.flush();
    }

    private static Path builtInModel() {
        return Path.of(System.getProperty("weir.home", ""), "server", "models", "weir-mini")
                .toAbsolutePath();
    }
}
