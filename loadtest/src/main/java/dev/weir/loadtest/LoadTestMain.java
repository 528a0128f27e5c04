package dev.weir.loadtest;

import dev.weir.protocol.Prompt;
import dev.weir.protocol.SamplingFields;
import java.io.BufferedWriter;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The load tester's command line. It exits with 0 when the run kept its thresholds, with 1 when it missed one or could
 * not run, and with 2 for wrong usage.
 */
@Command(
        name = "weir loadtest",
        customSynopsis = "usage: ./weir loadtest [OPTIONS]",
        synopsisHeading = "",
        sortOptions = false,
        usageHelpWidth = 100,
        description = {
            "Loads a server that speaks the OpenAI API with concurrent streams and reports throughput and latencies.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  ./weir loadtest --url http://127.0.0.1:8080 --sessions 64 --duration 20s",
            "  ./weir loadtest --url http://127.0.0.1:8000 --api chat --rate 5 --prompt-tokens 512",
            "",
            "Exit code: 0 = fine, 1 = a threshold was missed or the run failed, 2 = wrong usage."
        })
public final class LoadTestMain implements Callable<Integer> {

    private static final int OK = 0;
    private static final int FAILED = 1;
    private static final int WRONG_USAGE = 2;
    private static final int DEFAULT_SESSIONS = 16;
    private static final int DEFAULT_MAX_IN_FLIGHT = 1024;
    private static final Duration DEFAULT_DURATION = Duration.ofSeconds(20);
    private static final Duration DEFAULT_WARM_UP = Duration.ofSeconds(2);
    private static final int DISTINCT_PROMPTS = 64;
    private static final String DEFAULT_PROMPT = "Once upon a time there was a small river";

    private final PrintWriter out;
    private final PrintWriter err;
    private volatile @Nullable LoadTest running;

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "http://127.0.0.1:8080",
            description = "The server (default: ${DEFAULT-VALUE}).")
    private String url = "";

    @Option(names = "--api-key", paramLabel = "KEY", description = "Sent as a bearer token.")
    private @Nullable String apiKey;

    @Option(
            names = "--transport",
            paramLabel = "ws|sse",
            description = "WebSocket or server-sent events (default: ws for the responses API, otherwise sse).")
    private @Nullable Transport transport;

    @Option(
            names = "--api",
            paramLabel = "responses|completions|chat",
            defaultValue = "responses",
            description = "The API to call (default: ${DEFAULT-VALUE}).")
    private Api api = Api.RESPONSES;

    @Option(
            names = "--model",
            paramLabel = "ID",
            description = "The model to ask for (default: the first that /v1/models lists).")
    private @Nullable String model;

    @Option(
            names = "--sessions",
            paramLabel = "N",
            description =
                    "Closed load: N users, each sends when its last answer ended (default: " + DEFAULT_SESSIONS + ").")
    private @Nullable Integer sessions;

    @Option(
            names = "--rate",
            paramLabel = "R",
            description =
                    "Open load instead: R requests a second, Poisson arrivals; latency counts from the intended start.")
    private @Nullable Double rate;

    @Option(
            names = "--max-in-flight",
            paramLabel = "N",
            description = "Open load: arrivals beyond N requests under way are dropped and counted (default: "
                    + DEFAULT_MAX_IN_FLIGHT + ").")
    private @Nullable Integer maxInFlight;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            description = "Measured time, such as 500ms, 20s, 2m (default: 20s, or no limit with --requests).")
    private @Nullable Duration duration;

    @Option(names = "--requests", paramLabel = "N", description = "Ends after N requests.")
    private @Nullable Long requests;

    @Option(
            names = "--warmup",
            paramLabel = "TIME",
            description = "Load before the measured time (default: 2s, or 0s with --requests).")
    private @Nullable Duration warmUp;

    @Option(
            names = "--ramp",
            paramLabel = "TIME",
            defaultValue = "0s",
            description = "Time before the warm-up over which the load grows to its size (default: ${DEFAULT-VALUE}).")
    private Duration ramp = Duration.ZERO;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "2m",
            description = "The most one request may take (default: ${DEFAULT-VALUE}).")
    private Duration timeout = Duration.ZERO;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt, the same for every request.")
    private @Nullable String promptText;

    @Option(names = "--prompt-file", paramLabel = "FILE", description = "The file whose whole text is the prompt.")
    private @Nullable Path promptFile;

    @Option(
            names = "--prompt-tokens",
            paramLabel = "N",
            description = {
                "Makes " + DISTINCT_PROMPTS + " different prompts of N tokens: exact token ids for completions,",
                "text fitted by the server's /tokenize or, without that, estimated for the others."
            })
    private @Nullable Integer promptTokens;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Tokens per answer (default: ${DEFAULT-VALUE}).")
    private int maxTokens;

    @Option(names = "--temperature", paramLabel = "T", description = "Sampling temperature (default: the server's).")
    private @Nullable Double temperature;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description =
                    "Sampling seed of the first request, counted up from there; settles prompts and arrivals too.")
    private @Nullable Long seed;

    @Option(
            names = "--no-ignore-eos",
            description = "Lets answers end where the model ends them, rather than all at --max-tokens.")
    private boolean stopsAtEos;

    @Option(
            names = "--max-error-rate",
            paramLabel = "R",
            converter = RateConverter.class,
            description = "Threshold: the most of all requests that may fail or be dropped, such as 0.01 or 1%%.")
    private @Nullable Double maxErrorRate;

    @Option(names = "--max-ttft-p99", paramLabel = "TIME", description = "Threshold: time to first token.")
    private @Nullable Duration maxTtftP99;

    @Option(names = "--max-itl-p99", paramLabel = "TIME", description = "Threshold: inter-token latency.")
    private @Nullable Duration maxItlP99;

    @Option(names = "--min-tokens-per-second", paramLabel = "R", description = "Threshold: output tokens a second.")
    private @Nullable Double minTokensPerSecond;

    @Option(names = "--json", paramLabel = "FILE", description = "Writes the report as JSON.")
    private @Nullable Path jsonFile;

    @Option(names = "--raw", paramLabel = "FILE", description = "Writes one JSON line per request.")
    private @Nullable Path rawFile;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Prints this.")
    @SuppressWarnings("UnusedVariable") // picocli needs the field to know the option
    private boolean isHelpWanted;

    private LoadTestMain(PrintWriter out, PrintWriter err) {
        this.out = out;
        this.err = err;
    }

    /** Runs a load test and exits with its code. Ctrl-C ends the run and reports what was measured until then. */
    public static void main(String[] args) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        LoadTestMain main = new LoadTestMain(out, err);
        CountDownLatch finished = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> main.stopAndAwait(finished), "weir-loadtest-stop"));
        int code = main.execute(args);
        finished.countDown();
        System.exit(code);
    }

    /** Runs a load test with these arguments; the answer is the exit code. */
    static int run(PrintWriter out, PrintWriter err, String... args) {
        return new LoadTestMain(out, err).execute(args);
    }

    private int execute(String... allArgs) {
        // The launcher passes its own command on; started without it, there is none.
        boolean hasCommand = allArgs.length > 0 && allArgs[0].equals("loadtest");
        String[] args = hasCommand ? Arrays.copyOfRange(allArgs, 1, allArgs.length) : allArgs;
        CommandLine command = new CommandLine(this)
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .registerConverter(Duration.class, LoadTestMain::duration);
        command.setParameterExceptionHandler((e, _) -> wrongUsage(e));
        command.setExecutionExceptionHandler((e, _, _) -> failed(e));
        return command.execute(args);
    }

    private static Duration duration(String text) {
        try {
            return Durations.parse(text);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.TypeConversionException(e.getMessage());
        }
    }

    private void stopAndAwait(CountDownLatch finished) {
        LoadTest test = running;
        if (test == null) {
            return;
        }
        test.stop();
        try {
            if (!finished.await(5, TimeUnit.SECONDS)) {
                err.println("weir loadtest: the run did not end within 5 s of the interrupt");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private int wrongUsage(CommandLine.ParameterException e) {
        StringBuilder message = new StringBuilder("weir loadtest: ").append(e.getMessage());
        if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
            List<String> nearest = unmatched.getSuggestions();
            if (!nearest.isEmpty()) {
                message.append("; did you mean ").append(nearest.getFirst()).append('?');
            }
        }
        err.println(message);
        err.println("./weir loadtest --help lists the options.");
        return WRONG_USAGE;
    }

    private int failed(Exception e) throws Exception {
        if (e instanceof IllegalArgumentException) {
            err.println("weir loadtest: " + e.getMessage());
            return WRONG_USAGE;
        }
        if (e instanceof LoadTestException) {
            err.println("weir loadtest: " + e.getMessage());
            return FAILED;
        }
        throw e;
    }

    @Override
    public Integer call() throws Exception {
        Target target = new Target(Target.parseBase(url), chosenTransport(), api, apiKey, Duration.ofSeconds(10));
        LoadShape shape = shape();
        LoadRun.Limits limits = limits();
        Thresholds thresholds = new Thresholds(maxErrorRate, maxTtftP99, maxItlP99, minTokensPerSecond);
        SamplingFields sampling = sampling();
        requireAtMostOnePrompt();

        String chosenModel;
        PromptMaker.Made prompts;
        try (ServerProbe probe = new ServerProbe(target)) {
            chosenModel =
                    model != null ? model : probe.models().stream().findFirst().orElse(null);
            prompts = prompts(probe, chosenModel);
        }
        RequestBodies bodies = new RequestBodies(target, chosenModel, prompts.prompts(), sampling);

        Report report;
        try (Writer raw = rawFile == null ? null : open(rawFile, "--raw")) {
            LoadTest test = new LoadTest(
                    target, describe(target, chosenModel, prompts), shape, limits, bodies, raw, terminal());
            running = test;
            report = test.run();
        }
        out.print(ReportText.write(report));
        out.flush();
        return judge(report, thresholds);
    }

    private int judge(Report report, Thresholds thresholds) throws IOException {
        List<String> missed = thresholds.missed(report);
        if (jsonFile != null) {
            try (Writer json = open(jsonFile, "--json")) {
                ReportJson.write(report, missed, json);
            }
        }
        for (String line : missed) {
            err.println("weir loadtest: " + line);
        }
        return missed.isEmpty() ? OK : FAILED;
    }

    private Transport chosenTransport() {
        if (transport != null) {
            return transport;
        }
        return api == Api.RESPONSES ? Transport.WS : Transport.SSE;
    }

    private LoadShape shape() {
        if (rate == null) {
            if (maxInFlight != null) {
                throw new IllegalArgumentException(
                        "--max-in-flight belongs to an open load: give --rate too, or --sessions instead");
            }
            return new ClosedLoad(sessions == null ? DEFAULT_SESSIONS : sessions, ramp);
        }
        if (sessions != null) {
            throw new IllegalArgumentException(
                    "--sessions (closed load) and --rate (open load) exclude each other; with --rate, --max-in-flight"
                            + " limits concurrency");
        }
        return new OpenLoad(rate, maxInFlight == null ? DEFAULT_MAX_IN_FLIGHT : maxInFlight, ramp, arrivalSeed());
    }

    private long arrivalSeed() {
        return seed == null ? 1 : seed;
    }

    private LoadRun.Limits limits() {
        if (requests != null && requests < 1) {
            throw new IllegalArgumentException("--requests must be at least 1, not " + requests);
        }
        if (duration != null && duration.isZero()) {
            throw new IllegalArgumentException("--duration must be more than nothing");
        }
        Duration window = duration == null && requests == null ? DEFAULT_DURATION : duration;
        Duration unmeasured = warmUp != null ? warmUp : requests == null ? DEFAULT_WARM_UP : Duration.ZERO;
        return new LoadRun.Limits(unmeasured, window, requests, timeout);
    }

    private SamplingFields sampling() {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("--max-tokens must be at least 1, not " + maxTokens);
        }
        SamplingFields.Builder fields =
                SamplingFields.builder().maxTokens(maxTokens).ignoreEos(!stopsAtEos);
        if (temperature != null) {
            if (!(temperature >= 0 && temperature <= 2)) {
                throw new IllegalArgumentException("--temperature must be from 0 to 2, not " + temperature);
            }
            fields.temperature(temperature);
        }
        if (seed != null) {
            fields.seed(seed);
        }
        return fields.build();
    }

    private void requireAtMostOnePrompt() {
        int given = (promptText == null ? 0 : 1) + (promptFile == null ? 0 : 1) + (promptTokens == null ? 0 : 1);
        if (given > 1) {
            throw new IllegalArgumentException("give only one of --prompt, --prompt-file and --prompt-tokens");
        }
        if (promptTokens != null && promptTokens < 1) {
            throw new IllegalArgumentException("--prompt-tokens must be at least 1, not " + promptTokens);
        }
    }

    private PromptMaker.Made prompts(ServerProbe probe, @Nullable String chosenModel) {
        if (promptTokens != null) {
            PromptMaker maker = new PromptMaker(text -> probe.tokenize(chosenModel, text), arrivalSeed());
            return api == Api.COMPLETIONS
                    ? maker.ids(promptTokens, DISTINCT_PROMPTS)
                    : maker.texts(promptTokens, DISTINCT_PROMPTS);
        }
        String text = promptText != null ? promptText : promptFile != null ? read(promptFile) : DEFAULT_PROMPT;
        if (text.isBlank()) {
            throw new IllegalArgumentException(
                    (promptText != null ? "--prompt" : "--prompt-file " + promptFile) + " is empty");
        }
        return new PromptMaker.Made(List.of(new Prompt.Text(text)), PromptMaker.Precision.EXACT);
    }

    private String describe(Target target, @Nullable String chosenModel, PromptMaker.Made prompts) {
        String carrier = target.transport() == Transport.WS ? "WebSocket" : "SSE";
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT, "%s %s%s", carrier, target.base(), target.api().path()));
        if (chosenModel != null) {
            text.append("  model ").append(chosenModel);
        }
        if (promptTokens != null) {
            text.append("  prompt ")
                    .append(
                            switch (prompts.precision()) {
                                case EXACT -> "of ";
                                case FITTED -> "fitted to ";
                                case ESTIMATED -> "of about ";
                            })
                    .append(promptTokens)
                    .append(" tokens");
        }
        return text.append("  answers of ")
                .append(stopsAtEos ? "at most " : "")
                .append(maxTokens)
                .append(" tokens")
                .toString();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new LoadTestException("cannot read --prompt-file " + file + ": " + Failures.describe(e));
        }
    }

    private static BufferedWriter open(Path file, String option) {
        try {
            return Files.newBufferedWriter(file);
        } catch (IOException e) {
            throw new LoadTestException("cannot write " + option + " " + file + ": " + Failures.describe(e));
        }
    }

    @SuppressWarnings("SystemConsoleNull") // JDK 25's own console is null again where there is no terminal
    private @Nullable PrintWriter terminal() {
        Console console = System.console();
        return console != null && console.isTerminal() ? err : null;
    }

    /** Shares as people write them: 0.01 or 1%. */
    static final class RateConverter implements CommandLine.ITypeConverter<Double> {
        @Override
        public Double convert(String text) {
            boolean isPercent = text.endsWith("%");
            try {
                double value = Double.parseDouble(isPercent ? text.substring(0, text.length() - 1) : text);
                return isPercent ? value / 100 : value;
            } catch (NumberFormatException _) {
                throw new CommandLine.TypeConversionException(
                        "'" + text + "' is no share: write a number such as 0.01 or 1%");
            }
        }
    }
}
