package dev.weir.server;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;

/** API keys themselves: made, hashed, and shown so that nobody can use what is shown. Any thread. */
final class Secret {
    private static final String PREFIX = "weir_";
    private static final int RANDOM_BYTES = 32;

    /** A key of fewer characters is not shown in part: too much of it would be. */
    private static final int LEAST_SHOWN = 20;

    private static final SecureRandom RANDOM = new SecureRandom();

    private Secret() {}

    /** A new key of 256 random bits. */
    static String next() {
        byte[] random = new byte[RANDOM_BYTES];
        RANDOM.nextBytes(random);
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(random);
    }

    /**
     * What is stored and compared instead of a key. A key has 256 random bits, so that a fast hash without salt will do:
     * there is no list of likely keys to try.
     */
    static byte[] hash(String key) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** A key as it may stand in an answer: the first 4 and the last 2 characters. */
    static String shown(String key) {
        boolean isShown = key.length() >= LEAST_SHOWN && key.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '"');
        return isShown ? key.substring(0, 4) + "***" + key.substring(key.length() - 2) : "***";
    }
}
