package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatCompletionRequest;
import dev.weir.protocol.ChunkWriter;
import dev.weir.protocol.CompletionRequest;
import dev.weir.protocol.DetokenizeRequest;
import dev.weir.protocol.OpenApi;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.Replies;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.TokenizeRequest;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpClosedException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.StaticHandler;
import java.nio.channels.ClosedChannelException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is served under which path. Owned by one event loop. Each route reads its request, chooses the {@link Reply} and
 * leaves the rest to a {@link Turn}.
 */
final class HttpRoutes {
    private static final String METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    /** What is for callers only. The page, health and metrics are open to all. */
    private static final List<String> CLOSED = List.of("/v1/*", "/tokenize", "/detokenize");

    /** A percent sign without two hexadecimal digits (RFC 3986, section 2.1). */
    private static final Pattern NO_ESCAPE = Pattern.compile("%(?!\\p{XDigit}{2})");

    /** More than there are: a cache for all paths that clients think of would only hold those. */
    private static final int MOST_FILES = 256;

    private final Services services;
    private final ModelService model;
    private final Vertx vertx;
    private final BiConsumer<ServerWebSocket, Caller> sessions;

    /** Built when it is first asked for. */
    private @Nullable Future<@Nullable String> openApi;

    /** Routes; {@code sessions} takes over WebSockets. */
    HttpRoutes(Services services, Vertx vertx, BiConsumer<ServerWebSocket, Caller> sessions) {
        this.services = services;
        model = services.model();
        this.vertx = vertx;
        this.sessions = sessions;
    }

    Router router(Connections connections) {
        Router router = Router.router(vertx);
        router.route().failureHandler(this::failed).handler(http -> {
            connections.begun(http.request());
            begin(http);
        });
        router.route().handler(services.origins());
        Authentication authentication = new Authentication(services.keys());
        for (String closed : CLOSED) {
            router.route(closed).handler(authentication).handler(this::admit);
        }
        post(router, "/v1/completions", this::completion);
        post(router, "/v1/chat/completions", this::chatCompletion);
        ResponseRoutes responses = new ResponseRoutes(services, vertx);
        post(router, "/v1/responses", responses::create);
        HeadRoutes heads = new HeadRoutes(services, vertx);
        post(router, "/v1/classify", heads::classify);
        post(router, "/v1/embeddings", heads::embed);
        post(router, "/tokenize", this::tokenize);
        post(router, "/detokenize", this::detokenize);
        router.get("/v1/responses").handler(http -> webSocket(http, connections));
        router.get("/v1/responses/:id").handler(responses::retrieve);
        router.delete("/v1/responses/:id").handler(responses::delete);
        router.post("/v1/responses/:id/cancel").handler(responses::cancel);
        router.get("/v1/responses/:id/input_items").handler(responses::inputItems);
        ConversationRoutes conversations = new ConversationRoutes(services.conversations());
        post(router, "/v1/conversations", conversations::create);
        post(router, "/v1/conversations/:id", conversations::update);
        post(router, "/v1/conversations/:id/items", conversations::addItems);
        router.get("/v1/conversations/:id").handler(conversations::retrieve);
        router.delete("/v1/conversations/:id").handler(conversations::delete);
        router.get("/v1/conversations/:id/items").handler(conversations::items);
        router.get("/v1/conversations/:id/items/:item").handler(conversations::item);
        router.delete("/v1/conversations/:id/items/:item").handler(conversations::deleteItem);
        router.get("/v1/models").handler(this::models);
        router.get("/v1/models/:id").handler(this::model);
        router.get("/health").handler(http -> health(http, services.admission().isHealthy()));
        router.get("/health/live").handler(http -> health(http, true));
        router.get("/health/ready")
                .handler(http -> health(http, services.admission().isReady()));
        router.get("/metrics").handler(this::metrics);
        router.get("/openapi.json").handler(this::openApi);
        refuseOtherMethods(router);
        page(router.route("/webjars/*"), "META-INF/resources/webjars");
        page(router.route(), "webroot");
        router.route().handler(http -> http.fail(404));
        return router;
    }

    /** Refuses a path or a query with an escape that is none, which nobody behind here expects. */
    private static void begin(RoutingContext http) {
        if (NO_ESCAPE.matcher(String.valueOf(http.request().uri())).find()) {
            http.fail(400);
        } else {
            http.next();
        }
    }

    /** Begins nothing while the server stops; what there is can be read, cancelled, changed and deleted to the last. */
    private void admit(RoutingContext http) {
        String path = String.valueOf(http.request().path());
        if (!path.startsWith("/v1/responses/") && !path.startsWith("/v1/conversations/")) {
            services.admission().check();
        }
        http.next();
    }

    private void post(Router router, String path, BiConsumer<RoutingContext, String> route) {
        router.post(path)
                .handler(http -> RequestBody.read(vertx, http, services.limits(), body -> route.accept(http, body)));
    }

    /** Answers 405 where a path is served, but not by the method that was asked for. */
    private static void refuseOtherMethods(Router router) {
        Map<String, Set<String>> methods = new LinkedHashMap<>();
        for (Route route : router.getRoutes()) {
            if (route.getPath() != null && route.methods() != null) {
                Set<String> known = methods.computeIfAbsent(route.getPath(), _ -> new LinkedHashSet<>());
                route.methods().forEach(method -> known.add(method.name()));
            }
        }
        methods.forEach((path, known) -> router.route(path).handler(http -> {
            http.response().putHeader(HttpHeaders.ALLOW, String.join(", ", known));
            http.fail(405);
        }));
    }

    /** Files of the class path; the browser asks each time whether one has changed. */
    private static void page(Route route, String folder) {
        StaticHandler files = StaticHandler.create(folder).setMaxCacheSize(MOST_FILES);
        route.method(HttpMethod.GET).method(HttpMethod.HEAD).handler(http -> {
            http.addHeadersEndHandler(_ -> http.response().putHeader(HttpHeaders.CACHE_CONTROL, "no-cache"));
            files.handle(http);
        });
    }

    private void completion(RoutingContext http, String body) {
        CompletionRequest request = RequestReader.completion(body);
        complete(http, Ask.of(request), ChunkWriter.Kind.COMPLETION, request.stream(), request.includeUsage());
    }

    private void chatCompletion(RoutingContext http, String body) {
        ChatCompletionRequest request = RequestReader.chatCompletion(body);
        complete(http, Ask.of(request), ChunkWriter.Kind.CHAT, request.stream(), request.includeUsage());
    }

    private void complete(
            RoutingContext http, Ask ask, ChunkWriter.Kind kind, boolean isStreamed, boolean includeUsage) {
        ChunkWriter writer =
                new ChunkWriter(kind, ask.id(), System.currentTimeMillis() / 1000, model.name(), includeUsage);
        if (isStreamed) {
            SseOutlet outlet = new SseOutlet(http.response());
            int roles = kind == ChunkWriter.Kind.CHAT ? ask.sequences() : 0;
            run(http, ask, new ChunkReply(writer, outlet, roles, includeUsage));
        } else {
            WholeReply.Body whole = (answers, usage) -> writer.whole(
                    Answer.best(answers, ask.n(), ask.bestOf()).stream()
                            .map(answer -> new ChunkWriter.Choice(
                                    answer.text(),
                                    answer.calls(),
                                    answer.logprobs(),
                                    answer.ending().finishReason(!answer.calls().isEmpty())))
                            .toList(),
                    usage);
            run(http, ask, new WholeReply(http.response(), ask.sequences(), whole));
        }
    }

    private void run(RoutingContext http, Ask ask, Reply reply) {
        HttpServerResponse response = http.response();
        if (response.closed()) {
            return; // the client left while its request was read
        }
        Turn turn = new Turn(services, Authentication.caller(http), vertx.getOrCreateContext(), ask, reply);
        response.exceptionHandler(_ -> turn.abandon());
        response.closeHandler(_ -> turn.abandon());
        response.drainHandler(_ -> turn.resume());
        turn.start();
    }

    private void webSocket(RoutingContext http, Connections connections) {
        if (!http.request().headers().contains("Upgrade", "websocket", true)) {
            if (http.request().version() != HttpVersion.HTTP_2) { // which forbids the header
                http.response().putHeader(HttpHeaders.UPGRADE, "websocket");
            }
            HttpReplies.error(
                    http.response(),
                    ApiError.refused(
                            426,
                            "upgrade_required",
                            "GET /v1/responses is for WebSockets; open one, or POST the request here"),
                    0);
            return;
        }
        Caller caller = Authentication.caller(http);
        http.request()
                .toWebSocket()
                .onSuccess(socket -> {
                    connections.left(http.request().connection());
                    sessions.accept(socket, caller);
                })
                .onFailure(cause -> HttpReplies.error(
                        http.response(),
                        ApiError.refused(
                                400, "bad_handshake", "the WebSocket handshake is not valid: " + cause.getMessage()),
                        0));
    }

    private void models(RoutingContext http) {
        HttpReplies.json(http.response(), Replies.models(model.name(), model.createdAt(), model.maxTokens()));
    }

    private void model(RoutingContext http) {
        model.checkName(http.pathParam("id"));
        Authentication.caller(http).checkModel(model.name());
        HttpReplies.json(http.response(), Replies.model(model.name(), model.createdAt(), model.maxTokens()));
    }

    private void tokenize(RoutingContext http, String body) {
        TokenizeRequest request = RequestReader.tokenize(body);
        answerFromWorker(http, request.model(), () -> {
            int[] tokens;
            if (request.prompt() == null) {
                tokens = model.chatPrompts()
                        .encode(request.messages(), request.tools(), request.addGenerationPrompt(), "messages");
            } else {
                int[] plain = model.tokenizer().encode(request.prompt());
                tokens = request.addSpecialTokens() ? model.tokenizer().withFrame(plain) : plain;
            }
            List<String> texts = request.returnTokenStrings()
                    ? Arrays.stream(tokens)
                            .mapToObj(id -> model.decode(new int[] {id}))
                            .toList()
                    : null;
            return Replies.tokens(tokens, model.maxTokens(), texts);
        });
    }

    private void detokenize(RoutingContext http, String body) {
        DetokenizeRequest request = RequestReader.detokenize(body);
        answerFromWorker(http, request.model(), () -> Replies.prompt(model.decode(request.tokens())));
    }

    private void answerFromWorker(RoutingContext http, @Nullable String asked, Callable<String> answer) {
        Caller caller = Authentication.caller(http);
        model.checkName(asked);
        caller.checkModel(model.name());
        Permit permit = caller.admit();
        vertx.executeBlocking(answer, false)
                .onComplete(_ -> permit.end(0))
                .onSuccess(json -> HttpReplies.json(http.response(), json))
                .onFailure(http::fail);
    }

    private void health(RoutingContext http, boolean isWell) {
        HttpReplies.json(
                http.response().setStatusCode(isWell ? 200 : 503),
                isWell ? "{\"status\":\"ok\"}" : "{\"status\":\"unavailable\"}");
    }

    private void metrics(RoutingContext http) {
        vertx.executeBlocking(services.metrics()::scrape, false)
                .onSuccess(text -> HttpReplies.text(http.response(), METRICS_TYPE, text))
                .onFailure(http::fail);
    }

    private void openApi(RoutingContext http) {
        if (openApi == null) {
            openApi = vertx.executeBlocking(() -> OpenApi.document(services.keys() != null), false);
        }
        openApi.onSuccess(json -> HttpReplies.json(http.response(), json)).onFailure(http::fail);
    }

    private void failed(RoutingContext http) {
        if (http.failure() instanceof HttpClosedException || http.failure() instanceof ClosedChannelException) {
            return; // the client left while its request was read, or a file sent
        }
        ApiError error = switch (http.failure()) {
            case ProtocolException e -> e.error();
            case RetryLaterException e -> e.error();
            case null, default -> error(http);
        };
        services.metrics().refused(error);
        long retryAfterSeconds = http.failure() instanceof RetryLaterException e ? e.retryAfterSeconds() : 0;
        HttpReplies.error(http.response(), error, retryAfterSeconds);
    }

    private ApiError error(RoutingContext http) {
        String what = http.request().method() + " " + http.request().path();
        return switch (http.statusCode()) {
            case 404 -> ApiError.refused(404, "not_found", what + " is not served here; see /v1/models");
            case 405 -> ApiError.refused(405, "method_not_allowed", what + " is not served; use another method");
            case 400, 408 -> ApiError.refused(http.statusCode(), "bad_request", what + " is not valid HTTP");
            default -> {
                Logs.SERVER.error("{} failed", what, http.failure());
                yield ApiError.internal(what + " failed; the server's log says why");
            }
        };
    }
}
