package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.ResponseRequest;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import java.util.Objects;

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
        Response response = new Response(services, context, Authentication.caller(http), request, graceMillis);
        Outlet outlet =
                request.stream() ? new SseOutlet(http.response()) : new WholeOutlet(http.response(), response::state);
        response.start(reader(http, outlet));
    }

    /** {@code GET /v1/responses/{id}}, as it stands or with {@code stream=true} the events after {@code starting_after}. */
    void retrieve(RoutingContext http) {
        Response response = services.responses().get(Authentication.caller(http), id(http));
        if (isStreamed(http)) {
            int number = RequestReader.startingAfter(http.request().getParam("starting_after"));
            services.metrics().resumed();
            response.resume(reader(http, new SseOutlet(http.response())), number);
        } else {
            HttpReplies.json(http.response(), EventWriter.response(response.state()));
        }
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
