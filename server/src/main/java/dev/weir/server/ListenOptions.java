package dev.weir.server;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where the server listens and who may use it. */
final class ListenOptions {
    private static final int LARGEST_PORT = 65_535;

    @Option(names = "--host", paramLabel = "HOST", description = "Address to listen on. Default: ${DEFAULT-VALUE}.")
    private String host = "127.0.0.1";

    @Option(names = "--port", paramLabel = "PORT", description = "Port; 0 is any free one. Default: ${DEFAULT-VALUE}.")
    private int port = 8080;

    @Option(
            names = "--api-keys",
            paramLabel = "FILE",
            description =
                    "File of API keys, made with ./weir key create; requests to /v1, /tokenize and /detokenize then"
                            + " need one. The page, /health and /metrics stay open. Default: no keys are asked for.")
    private @Nullable Path apiKeys;

    @Option(
            names = "--tls-cert",
            paramLabel = "FILE",
            description =
                    "PEM file of the certificate and its chain: the server then speaks https and HTTP/2. It is read"
                            + " again when it changes. Default: plain http.")
    private @Nullable Path tlsCert;

    @Option(names = "--tls-key", paramLabel = "FILE", description = "PEM file of the certificate's private key.")
    private @Nullable Path tlsKey;

    @Option(
            names = "--allowed-origin",
            paramLabel = "ORIGIN",
            split = ",",
            description =
                    "An origin, such as https://example.org, whose pages may use the server, under CORS too; may be"
                            + " repeated. Default: only the server's own pages and those of the browser's machine.")
    private @Nullable List<String> allowedOrigins;

    @Option(
            names = "--allow-open",
            description =
                    "Listen on an address that other machines reach without API keys or without TLS all the same.")
    private boolean allowOpen;

    String host() {
        return host;
    }

    int port() {
        return port;
    }

    /** Puts the port that was bound in place of the one that was asked for. */
    void bound(int actual) {
        port = actual;
    }

    /**
     * Holds the options against each other.
     *
     * @throws IllegalArgumentException naming the option and the remedy
     */
    void check() {
        if (port < 0 || port > LARGEST_PORT) {
            throw new IllegalArgumentException("port is " + port + " but must be from 0 to " + LARGEST_PORT);
        }
        if ((tlsCert == null) != (tlsKey == null)) {
            throw new IllegalArgumentException(
                    tlsCert == null
                            ? "tls-key is set but tls-cert is not; name both"
                            : "tls-cert is set but tls-key is not; name both");
        }
        origins();
        if (!allowOpen && isReachable()) {
            String missing = apiKeys == null
                    ? tlsCert == null
                            ? "there are neither API keys nor TLS"
                            : "there are no API keys, so that anybody may use it"
                    : tlsCert == null ? "there is no TLS, so that keys and texts travel in the clear" : null;
            if (missing != null) {
                throw new IllegalArgumentException(
                        "host is " + host + ", which other machines may reach, but " + missing
                                + "; name --api-keys FILE (./weir key create makes one) and --tls-cert FILE with"
                                + " --tls-key FILE, or listen on 127.0.0.1, or say --allow-open if something else guards the"
                                + " server");
            }
        }
    }

    /** The keys that are asked for; null if none are. */
    @Nullable
    KeyRing keys() {
        return apiKeys == null ? null : KeyRing.open(apiKeys, () -> System.nanoTime() / 1_000_000);
    }

    /** The certificate to show; null for plain http. */
    @Nullable
    TlsFiles tls() {
        return tlsCert == null || tlsKey == null ? null : new TlsFiles(tlsCert, tlsKey);
    }

    /** Whose pages may use the server. */
    Origins origins() {
        List<WebOrigin> named = new ArrayList<>();
        for (String origin : allowedOrigins == null ? List.<String>of() : allowedOrigins) {
            named.add(WebOrigin.of("allowed-origin", origin.strip()));
        }
        return Origins.of(named);
    }

    private boolean isReachable() {
        try {
            return !InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException _) {
            return false; // nobody can listen there, which is told when it is tried
        }
    }
}
