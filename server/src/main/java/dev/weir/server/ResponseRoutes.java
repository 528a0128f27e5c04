package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.ItemPage;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.Replies;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.ResponseRequest;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/** What is served under {@code /v1/responses} over HTTP. Owned by one event loop. */
final class ResponseRoutes {
    private final Services services;
    private final Vertx vertx;

    ResponseRoutes(Services services, Vertx vertx) {
        this.services = services;
        this.vertx = vertx;
    }

    /** {@code POST /v1/responses}. One that is not streamed ends with its connection: nobody else knows its name. */
    void create(RoutingContext http, String body) {
        ResponseRequest request = RequestReader.response(body);
        if (http.response().closed()) {
            return; // the client left while its request was read
        }
        Context context = vertx.getOrCreateContext();
        long graceMillis = request.stream() ? services.limits().resume().grace().toMillis() : 0;
        Response response =
                new Response(services, context, Authentication.caller(http), request, Keeper.NONE, graceMillis);
        Outlet outlet =
                request.stream() ? new SseOutlet(http.response()) : new WholeOutlet(http.response(), response::state);
        response.start(reader(http, outlet));
    }

    /** {@code GET /v1/responses/{id}}, as it stands or with {@code stream=true} the events after {@code starting_after}. */
    void retrieve(RoutingContext http) {
        if (isStreamed(http)) {
            int number = RequestReader.startingAfter(http.request().getParam("starting_after"));
            LogReader reader = reader(http, new SseOutlet(http.response()));
            Resumption.begin(services, Authentication.caller(http), id(http), reader, number);
        } else {
            withStored(http, stored -> HttpReplies.json(http.response(), EventWriter.response(stored.response())));
        }
    }

    /** {@code POST /v1/responses/{id}/cancel}: answers with the response once it has ended, which it may have long before. */
    void cancel(RoutingContext http) {
        Response running = services.responses().find(Authentication.caller(http), id(http));
        if (running == null || running.hasEnded()) {
            withStored(http, stored -> HttpReplies.json(http.response(), EventWriter.response(stored.response())));
            return;
        }
        running.cancel();
        running.awaitEnd(reader(http, new WholeOutlet(http.response(), running::state)));
    }

    /** {@code DELETE /v1/responses/{id}}, which ends one that runs. */
    void delete(RoutingContext http) {
        Caller caller = Authentication.caller(http);
        Response running = services.responses().find(caller, id(http));
        boolean wasKnown = running != null && running.isStored();
        if (running != null && wasKnown) {
            running.delete();
        }
        services.responses()
                .store()
                .delete(caller.tenant(), id(http))
                .onSuccess(wasKept -> {
                    if (wasKnown || wasKept) {
                        HttpReplies.json(http.response(), Replies.deletedResponse(id(http)));
                    } else {
                        http.fail(new ProtocolException(Responses.unknown(id(http))));
                    }
                })
                .onFailure(http::fail);
    }

    /** {@code GET /v1/responses/{id}/input_items}: the response's own input, not that of those before it. */
    void inputItems(RoutingContext http) {
        HttpServerRequest request = http.request();
        withStored(http, stored -> {
            ItemPage page = ItemPage.of(
                    stored.inputItems(),
                    request.getParam("order"),
                    request.getParam("limit"),
                    request.getParam("after"));
            HttpReplies.json(http.response(), Replies.items(page));
        });
    }

    /** Finds a response that is stored, or that runs and will be. */
    private void withStored(RoutingContext http, Consumer<StoredResponse> then) {
        Caller caller = Authentication.caller(http);
        Response known = services.responses().find(caller, id(http));
        Future<Optional<StoredResponse>> found = known != null && known.isStored()
                ? Future.succeededFuture(Optional.of(known.stored()))
                : services.responses().store().get(caller.tenant(), id(http));
        found.map(stored -> stored.orElseThrow(() -> new ProtocolException(Responses.unknown(id(http)))))
                .onSuccess(stored -> {
                    try {
                        then.accept(stored);
                    } catch (ProtocolException e) {
                        http.fail(e);
                    }
                })
                .onFailure(http::fail);
    }

    private static String id(RoutingContext http) {
        return Objects.requireNonNull(http.pathParam("id"));
    }

    private static boolean isStreamed(RoutingContext http) {
        String stream = http.request().getParam("stream", "false");
        return switch (stream) {
            case "true" -> true;
            case "false" -> false;
            default ->
                throw new ProtocolException(ApiError.invalid(
                        "invalid_value", "stream", "stream is \"" + stream + "\" but must be true or false"));
        };
    }

    private LogReader reader(RoutingContext http, Outlet outlet) {
        HttpServerResponse response = http.response();
        LogReader reader = new LogReader(services, vertx.getOrCreateContext(), outlet, () -> {});
        response.exceptionHandler(_ -> reader.leave());
        response.closeHandler(_ -> reader.leave());
        response.drainHandler(_ -> reader.drained());
        return reader;
    }
}
