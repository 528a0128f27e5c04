package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who sends a request by the API key that it carries, and refuses it with 401 if that is nobody. The key is in the
 * {@code Authorization} header, or among the subprotocols of a WebSocket: a browser cannot set headers there. Owned by one
 * event loop.
 */
final class Authentication implements Handler<RoutingContext> {
    private static final String KEY_SUBPROTOCOL = "openai-insecure-api-key.";
    private static final String SUBPROTOCOLS = "Sec-WebSocket-Protocol";
    private static final String SCHEME = "Bearer ";
    private static final String CALLER = "weir.caller";

    private final @Nullable KeyRing keys;

    /** Asks for one of the keys; for none if {@code keys} is null. */
    Authentication(@Nullable KeyRing keys) {
        this.keys = keys;
    }

    /** Who sent a request that came past here. */
    static Caller caller(RoutingContext http) {
        return Objects.requireNonNull(http.<Caller>get(CALLER));
    }

    /** An error as OpenAI words it: 401 {@code invalid_api_key}. */
    static ProtocolException refused(String message) {
        return new ProtocolException(ApiError.refused(401, "invalid_api_key", message));
    }

    @Override
    public void handle(RoutingContext http) {
        String key = take(http.request()); // which is nobody's business from here on, with keys or without
        Caller caller = Caller.ANYONE;
        if (keys != null) {
            caller = identify(keys, key);
            caller.checkOrigin(http.request().getHeader(HttpHeaders.ORIGIN));
        }
        http.put(CALLER, caller);
        tellLimits(http, caller);
        http.next();
    }

    private static Caller identify(KeyRing keys, @Nullable String key) {
        if (key == null) {
            throw refused("You didn't provide an API key. You need to provide your API key in an Authorization header"
                    + " using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).");
        }
        Caller caller = keys.find(key);
        if (caller == null) {
            throw refused(
                    "Incorrect API key provided: " + Secret.shown(key) + ". Ask whoever runs this server for one.");
        }
        caller.check();
        return caller;
    }

    /** At the last moment, when the request has been counted. */
    private static void tellLimits(RoutingContext http, Caller caller) {
        http.addHeadersEndHandler(_ -> {
            for (Map.Entry<String, String> header : caller.limitHeaders().entrySet()) {
                http.response().putHeader(header.getKey(), header.getValue());
            }
        });
    }

    /** The key that a request carries, which no longer does: what others might log of it holds no secret. */
    private static @Nullable String take(HttpServerRequest request) {
        String key = null;
        String authorization = request.getHeader(HttpHeaders.AUTHORIZATION);
        if (authorization != null) {
            request.headers().remove(HttpHeaders.AUTHORIZATION);
            if (authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
                key = authorization.substring(SCHEME.length()).strip();
            }
        }
        String subprotocols = request.getHeader(SUBPROTOCOLS);
        if (subprotocols != null) {
            List<String> others = new ArrayList<>();
            for (String offered : subprotocols.split("\\s*,\\s*", -1)) {
                if (offered.strip().startsWith(KEY_SUBPROTOCOL)) {
                    key = offered.strip().substring(KEY_SUBPROTOCOL.length());
                } else {
                    others.add(offered);
                }
            }
            if (others.isEmpty()) {
                request.headers().remove(SUBPROTOCOLS);
            } else {
                request.headers().set(SUBPROTOCOLS, String.join(",", others));
            }
        }
        return key == null || key.isEmpty() ? null : key;
    }
}
