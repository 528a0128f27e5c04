package dev.weir.server;

import io.vertx.core.net.HostAndPort;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a web page comes from, as its browser tells in the {@code Origin} header (RFC 6454). Immutable; any thread.
 *
 * @param scheme such as https, in lower case
 * @param host in lower case, an IPv6 address in brackets
 * @param port -1 if the scheme has no usual one and none is named
 */
record WebOrigin(String scheme, String host, int port) {
    private static final Pattern LOOPBACK =
            Pattern.compile("localhost|.+\\.localhost|127(\\.\\d{1,3}){3}|\\[::1\\]|\\[0:0:0:0:0:0:0:1\\]");

    /** Reads an origin; null if it is none, as the word "null" of pages that must not tell theirs. */
    static @Nullable WebOrigin parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException _) {
            return null;
        }
        boolean isOrigin = uri.getScheme() != null
                && uri.getHost() != null
                && uri.getRawUserInfo() == null
                && uri.getRawPath().isEmpty()
                && uri.getRawQuery() == null
                && uri.getRawFragment() == null;
        if (!isOrigin) {
            return null;
        }
        String scheme = uri.getScheme().toLowerCase(Locale.ROOT);
        int port = uri.getPort() < 0 ? usualPort(scheme) : uri.getPort();
        return new WebOrigin(scheme, uri.getHost().toLowerCase(Locale.ROOT), port);
    }

    /**
     * Reads an origin that somebody wrote in an option.
     *
     * @throws IllegalArgumentException naming the option and the form that is wanted
     */
    static WebOrigin of(String option, String text) {
        WebOrigin origin = parse(text);
        if (origin == null) {
            throw new IllegalArgumentException(option + " is \"" + text
                    + "\" but must be a scheme, a host and perhaps a port, such as https://example.org");
        }
        return origin;
    }

    /** Whether the page comes from the machine that the browser runs on. */
    boolean isLoopback() {
        return LOOPBACK.matcher(host).matches();
    }

    /**
     * Whether the page comes from where its request goes to. The scheme is not looked at: behind a proxy that ends TLS the
     * page came by https and the request by http.
     */
    boolean isAt(HostAndPort authority) {
        String name = authority.host().toLowerCase(Locale.ROOT);
        boolean bare = name.contains(":") && !name.startsWith("[");
        int target = authority.port() <= 0 ? usualPort(scheme) : authority.port();
        return host.equals(bare ? "[" + name + "]" : name) && port == target;
    }

    @Override
    public String toString() {
        return scheme + "://" + host + (port == usualPort(scheme) ? "" : ":" + port);
    }

    private static int usualPort(String scheme) {
        return switch (scheme) {
            case "http" -> 80;
            case "https" -> 443;
            default -> -1;
        };
    }
}
