package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import java.util.Collection;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which web pages may use the server: its own, those of the machine that the browser runs on, and those that its operator
 * named. Other pages may neither post nor open a WebSocket, for browsers would let them; what they may get, browsers do not
 * let them read. Only pages that were named are answered under CORS. Programs that are no browser name no origin and are not
 * meant. Immutable; any thread.
 */
final class Origins implements Handler<RoutingContext> {
    /** Nobody was named. */
    static final Origins OWN = new Origins(Set.of());

    /** What changes nothing, and gives a page of another origin nothing that it may read. */
    private static final Set<HttpMethod> READING = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    private static final String EXPOSED = "retry-after, x-ratelimit-limit-requests, x-ratelimit-remaining-requests,"
            + " x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens,"
            + " x-ratelimit-reset-tokens";
    private static final String PREFLIGHT_SECONDS = "600";
    private static final int NO_CONTENT = 204;

    private final Set<WebOrigin> named;

    private Origins(Set<WebOrigin> named) {
        this.named = named;
    }

    static Origins of(Collection<WebOrigin> named) {
        return named.isEmpty() ? OWN : new Origins(Set.copyOf(named));
    }

    /** Whether a page may post and open WebSockets; {@code origin} is what its browser says. */
    boolean allows(String origin, @Nullable HostAndPort authority) {
        WebOrigin page = WebOrigin.parse(origin);
        return page != null
                && (named.contains(page) || page.isLoopback() || (authority != null && page.isAt(authority)));
    }

    @Override
    public void handle(RoutingContext http) {
        HttpServerRequest request = http.request();
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        if (!named.isEmpty()) {
            http.response().putHeader(HttpHeaders.VARY, "origin");
        }
        if (origin == null) {
            http.next();
            return;
        }
        boolean isWebSocket = request.headers().contains("Upgrade", "websocket", true);
        boolean isGuarded = isWebSocket || !READING.contains(request.method());
        if (isGuarded && !allows(origin, request.authority())) {
            throw new ProtocolException(
                    ApiError.refused(
                            403,
                            "origin_not_allowed",
                            "pages of this origin may not use this server; whoever runs it can allow them with --allowed-origin"));
        }
        WebOrigin page = WebOrigin.parse(origin);
        if (page == null || !named.contains(page)) {
            http.next();
            return;
        }
        HttpServerResponse response = http.response();
        response.putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN, origin)
                .putHeader(HttpHeaders.ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if (request.method().equals(HttpMethod.OPTIONS)
                && request.getHeader(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD) != null) {
            String headers = request.getHeader(HttpHeaders.ACCESS_CONTROL_REQUEST_HEADERS);
            response.putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE")
                    .putHeader(
                            HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS,
                            headers == null ? "authorization, content-type" : headers)
                    .putHeader(HttpHeaders.ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS)
                    .setStatusCode(NO_CONTENT)
                    .end();
        } else {
            http.next();
        }
    }
}
