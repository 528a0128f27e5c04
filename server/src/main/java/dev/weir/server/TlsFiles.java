package dev.weir.server;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.ServerSSLOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.X509KeyManager;
import org.jspecify.annotations.Nullable;

/**
 * The files of the certificate that the server shows and of its private key, both PEM, which may be replaced while it runs.
 * Not thread-safe.
 */
final class TlsFiles {
    private static final List<String> HTTP_VERSIONS = List.of("h2", "http/1.1");

    private final WatchedFile certificate;
    private final WatchedFile key;

    /** Files as they are now. */
    TlsFiles(Path certificate, Path key) {
        this.certificate = new WatchedFile(certificate);
        this.key = new WatchedFile(key);
    }

    /** Whether one of the files is another than the last time. */
    boolean hasChanged() {
        boolean isOther = certificate.hasChanged();
        return key.hasChanged() || isOther;
    }

    /**
     * Reads both files. Takes milliseconds.
     *
     * @throws IllegalArgumentException naming the file that cannot be used, or both if they do not belong together, as when
     *     only one has been replaced so far
     */
    ServerSSLOptions read(Vertx vertx) {
        PemKeyCertOptions pem = new PemKeyCertOptions()
                .setCertValue(bytes("tls-cert", certificate))
                .setKeyValue(bytes("tls-key", key));
        boolean isPair;
        try {
            isPair = isPair(manager(pem.getKeyManagerFactory(vertx).getKeyManagers()));
        } catch (Exception e) { // whatever the parsers throw
            throw new IllegalArgumentException(
                    "cannot use tls-cert " + certificate.path() + " with tls-key " + key.path() + ": " + e.getMessage()
                            + "; both must be PEM, the certificate with its chain and the key without a password",
                    e);
        }
        if (!isPair) {
            throw new IllegalArgumentException("tls-key " + key.path() + " is not the key of tls-cert "
                    + certificate.path() + "; name two files that belong together");
        }
        return new ServerSSLOptions()
                .setKeyCertOptions(pem)
                .setUseAlpn(true)
                .setApplicationLayerProtocols(HTTP_VERSIONS);
    }

    private static Buffer bytes(String option, WatchedFile file) {
        try {
            return Buffer.buffer(Files.readAllBytes(file.path()));
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read " + option + " " + file.path() + ": " + e, e);
        }
    }

    private static X509KeyManager manager(KeyManager... managers) {
        for (KeyManager manager : managers) {
            if (manager instanceof X509KeyManager found) {
                return found;
            }
        }
        throw new IllegalArgumentException("there is no certificate in it");
    }

    /** Whether what the key signs is what the certificate vouches for. */
    private static boolean isPair(X509KeyManager manager) throws GeneralSecurityException {
        for (String type : List.of("RSA", "EC", "EdDSA", "Ed25519", "RSASSA-PSS")) {
            String alias = first(manager.getServerAliases(type, null));
            if (alias != null) {
                PrivateKey privateKey = manager.getPrivateKey(alias);
                X509Certificate shown = manager.getCertificateChain(alias)[0];
                String algorithm = switch (privateKey.getAlgorithm()) {
                    case "RSA" -> "SHA256withRSA";
                    case "EC" -> "SHA256withECDSA";
                    default -> privateKey.getAlgorithm();
                };
                byte[] text = "weir".getBytes(StandardCharsets.US_ASCII);
                Signature signature = Signature.getInstance(algorithm);
                signature.initSign(privateKey);
                signature.update(text);
                byte[] signed = signature.sign();
                signature.initVerify(shown.getPublicKey());
                signature.update(text);
                return signature.verify(signed);
            }
        }
        throw new IllegalArgumentException("there is no RSA, EC or EdDSA key in it");
    }

    private static @Nullable String first(String @Nullable [] aliases) {
        return aliases == null || aliases.length == 0 ? null : aliases[0];
    }
}
