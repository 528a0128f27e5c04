package dev.weir.server;

import dev.weir.engine.EngineListener;
import dev.weir.engine.EngineStats;
import dev.weir.engine.GenerationRequest;
import dev.weir.protocol.ApiError;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.DoubleStream;

/**
 * What is counted, under vLLM's names where vLLM has one so that its dashboards work, and under {@code weir_} otherwise.
 * Any thread; recording takes no lock.
 */
final class Metrics implements EngineListener {
    private static final Duration[] LATENCY_BUCKETS = seconds(
            0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160);
    private static final Duration[] TOKEN_BUCKETS = seconds(
            0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1,
            2.5, 5);

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Tags tags;
    private final Timer timeToFirstToken;
    private final Timer interTokenLatency;
    private final Timer requestLatency;
    private final Timer queueTime;
    private final Timer planTime;
    private final Timer runTime;
    private final Timer commitTime;
    private final Timer interruptedTime;
    private final Counter promptTokens;
    private final Counter generationTokens;
    private final Counter prefixCacheQueries;
    private final Counter prefixCacheHits;
    private final Counter draftTokens;
    private final Counter acceptedTokens;
    private final Counter resumes;
    private final Counter slowConsumers;
    private final AtomicInteger sockets = new AtomicInteger();
    private final AtomicInteger connections = new AtomicInteger();

    Metrics(String modelName) {
        tags = Tags.of("model_name", modelName);
        timeToFirstToken = timer("vllm:time_to_first_token", "From request to first token.", LATENCY_BUCKETS);
        interTokenLatency = timer("vllm:inter_token_latency", "Between two tokens of a request.", TOKEN_BUCKETS);
        requestLatency = timer("vllm:e2e_request_latency", "From request to last token.", LATENCY_BUCKETS);
        queueTime = timer("vllm:request_queue_time", "Waiting for a slot.", LATENCY_BUCKETS);
        planTime = step("plan");
        runTime = step("run");
        commitTime = step("commit");
        interruptedTime = step("interrupted");
        promptTokens = counter("vllm:prompt_tokens", "Tokens of prompts, computed or found in the prefix cache.", tags);
        generationTokens = counter("vllm:generation_tokens", "Tokens generated.", tags);
        prefixCacheQueries = counter("vllm:prefix_cache_queries", "Prompt tokens looked up in the prefix cache.", tags);
        prefixCacheHits = counter("vllm:prefix_cache_hits", "Prompt tokens found in the prefix cache.", tags);
        draftTokens = counter("vllm:spec_decode_num_draft_tokens", "Tokens guessed from what texts repeat.", tags);
        acceptedTokens = counter("vllm:spec_decode_num_accepted_tokens", "Guesses that held.", tags);
        resumes = counter("weir_resumes", "Responses that were taken up again after a lost connection.", tags);
        slowConsumers = counter("weir_slow_consumers", "Streams that ended because their client did not read.", tags);
        for (String reason : new String[] {"stop", "length", "abort", "error"}) {
            finishedCounter(reason); // so that a dashboard shows zero rather than nothing
        }
        gauge("weir_websockets", "Open WebSockets.", sockets::get);
        gauge("weir_http_connections", "Open connections that carry HTTP, not a WebSocket.", connections::get);
    }

    /** Reports what the engine and the server are doing whenever somebody looks. */
    void observe(Supplier<EngineStats> engine, Supplier<Number> turnsInFlight, Responses responses) {
        gauge(
                "vllm:num_requests_running",
                "Requests that hold a slot and may be computed.",
                () -> engine.get().running());
        gauge(
                "vllm:num_requests_waiting",
                "Requests that wait for a slot.",
                () -> engine.get().waiting());
        gauge(
                "vllm:kv_cache_usage_perc",
                "Share of the cache in use, 1 is all.",
                () -> engine.get().cacheUsage());
        gauge(
                "weir_prefix_cache_usage_perc",
                "Share of the prefix cache in use, 1 is all.",
                () -> engine.get().prefixCacheUsage());
        FunctionCounter.builder(
                        "vllm:num_preemptions", engine, stats -> stats.get().preemptions())
                .description("Times that a request lost its slot before its end, to go on later.")
                .tags(tags)
                .register(registry);
        gauge(
                "weir_parked_sequences",
                "Requests that hold a slot but whose client does not read.",
                () -> engine.get().parked());
        gauge(
                "weir_buffered_bytes",
                "Bytes of events that are kept for those who read slowly or come back.",
                responses::bufferedBytes);
        FunctionCounter.builder("weir_store_failures", responses.store(), Store::failures)
                .description("Responses and conversations that could not be stored, looked up, changed or deleted.")
                .tags(tags)
                .register(registry);
        gauge("weir_turns_in_flight", "Requests that have not ended.", turnsInFlight);
    }

    @Override
    public void admitted(GenerationRequest request, long queueNanos) {
        queueTime.record(queueNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public void firstToken(GenerationRequest request, long nanos) {
        timeToFirstToken.record(nanos, TimeUnit.NANOSECONDS);
        promptTokens.increment(request.promptTokens().length);
        generationTokens.increment();
    }

    @Override
    public void prefixLookedUp(GenerationRequest request, int cachedTokens) {
        prefixCacheQueries.increment(request.promptTokens().length);
        prefixCacheHits.increment(cachedTokens);
    }

    @Override
    public void nextToken(GenerationRequest request, long nanos) {
        interTokenLatency.record(nanos, TimeUnit.NANOSECONDS);
        generationTokens.increment();
    }

    @Override
    public void stepped(StepStats stats) {
        planTime.record(stats.planNanos(), TimeUnit.NANOSECONDS);
        runTime.record(stats.runNanos(), TimeUnit.NANOSECONDS);
        commitTime.record(stats.commitNanos(), TimeUnit.NANOSECONDS);
        draftTokens.increment(stats.draftedTokens());
        acceptedTokens.increment(stats.acceptedTokens());
    }

    @Override
    public void interrupted(long nanos) {
        interruptedTime.record(nanos, TimeUnit.NANOSECONDS);
    }

    /** A request ended; {@code reason} is stop, length, abort or error. */
    void finished(String reason, long nanos) {
        finishedCounter(reason).increment();
        requestLatency.record(nanos, TimeUnit.NANOSECONDS);
    }

    /** A request was not served. */
    void refused(ApiError error) {
        String code = error.code() == null ? "none" : error.code();
        counter("weir_refused_requests", "Requests that were not served.", tags.and("code", code))
                .increment();
    }

    /** A request used tokens, of its prompt and of its answer. */
    void used(String tenant, int tokens) {
        counter("weir_tokens", "Tokens of prompts and answers, by whose they are.", tags.and("tenant", tenant))
                .increment(tokens);
    }

    /** A response was taken up again. */
    void resumed() {
        resumes.increment();
    }

    /** A client did not read its stream for too long. */
    void slowConsumer() {
        slowConsumers.increment();
    }

    void socketOpened() {
        sockets.incrementAndGet();
    }

    void socketClosed() {
        sockets.decrementAndGet();
    }

    void connectionOpened() {
        connections.incrementAndGet();
    }

    /** It has ended or become a WebSocket. */
    void connectionLeft() {
        connections.decrementAndGet();
    }

    /** Everything in Prometheus's text format. Takes milliseconds. */
    String scrape() {
        return registry.scrape();
    }

    private Counter finishedCounter(String reason) {
        return counter("vllm:request_success", "Requests by how they ended.", tags.and("finished_reason", reason));
    }

    private Counter counter(String name, String description, Tags with) {
        return Counter.builder(name).description(description).tags(with).register(registry);
    }

    private Timer timer(String name, String description, Duration... buckets) {
        return Timer.builder(name)
                .description(description)
                .tags(tags)
                .serviceLevelObjectives(buckets)
                .register(registry);
    }

    private Timer step(String phase) {
        return Timer.builder("weir_step")
                .description("Phases of an engine step; interrupted are runs that were given up for a request.")
                .tags(tags.and("phase", phase))
                .register(registry);
    }

    private void gauge(String name, String description, Supplier<Number> value) {
        Gauge.builder(name, value).description(description).tags(tags).register(registry);
    }

    private static Duration[] seconds(double... values) {
        return DoubleStream.of(values)
                .mapToObj(value -> Duration.ofNanos(Math.round(value * 1e9)))
                .toArray(Duration[]::new);
    }
}
