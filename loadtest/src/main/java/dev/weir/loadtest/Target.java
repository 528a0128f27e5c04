package dev.weir.loadtest;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where the requests go and what carries the answers.
 *
 * @param base scheme, host and port, with a path prefix if the server sits behind one; no trailing slash, no /v1
 * @param apiKey sent as a bearer token when present
 * @param connectTimeout the most that opening a connection may take
 */
record Target(
        URI base, Transport transport, Api api, @Nullable String apiKey, Duration connectTimeout) {

    Target {
        if (transport == Transport.WS && api != Api.RESPONSES) {
            throw new IllegalArgumentException("--transport ws carries only --api responses; use --transport sse for "
                    + api.path().substring("/v1/".length()));
        }
    }

    /**
     * Reads a base URL as people write it: http or https (ws and wss mean the same), with or without /v1, or a path that follows it,
     * at the end.
     */
    static URI parseBase(String url) {
        String text = url.strip();
        if (!text.contains("://")) {
            text = "http://" + text;
        }
        text = text.replaceFirst("^ws(s?)://", "http$1://")
                .replaceFirst("/+$", "")
                .replaceFirst("/v1(/responses|/completions|/chat/completions)?$", "");
        URI uri;
        try {
            uri = URI.create(text);
        } catch (IllegalArgumentException _) {
            throw notAUrl(url);
        }
        boolean isHttp = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
        if (!isHttp || uri.getHost() == null || uri.getQuery() != null) {
            throw notAUrl(url);
        }
        return uri;
    }

    private static IllegalArgumentException notAUrl(String url) {
        return new IllegalArgumentException(
                "--url '" + url + "' is no address of a server: write one such as http://127.0.0.1:8080");
    }

    boolean isTls() {
        return "https".equals(base.getScheme());
    }

    String host() {
        return base.getHost();
    }

    int port() {
        return base.getPort() >= 0 ? base.getPort() : isTls() ? 443 : 80;
    }

    /** The path and query to ask for {@code path} of this server. */
    String uri(String path) {
        return base.getRawPath() + path;
    }
}
