package dev.weir.server;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;

/** Names for responses and completions: a prefix and 24 random hexadecimal digits. Any thread. */
final class Ids {
    private static final int RANDOM_BYTES = 12;

    private Ids() {}

    static String next(String prefix) {
        byte[] random = new byte[RANDOM_BYTES];
        ThreadLocalRandom.current().nextBytes(random);
        return prefix + HexFormat.of().formatHex(random);
    }
}
