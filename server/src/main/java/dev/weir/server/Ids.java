package dev.weir.server;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;

/** Names for responses, conversations and completions: a prefix and 24 random hexadecimal digits. Any thread. */
final class Ids {
    private static final int RANDOM_BYTES = 12;

    private static final Pattern ID = Pattern.compile("[a-z]{1,8}_[0-9a-f]{" + 2 * RANDOM_BYTES + "}");

    private Ids() {}

    /** Whether a name may be one that was made here. */
    static boolean isOne(String name) {
        return ID.matcher(name).matches();
    }

    static String next(String prefix) {
        byte[] random = new byte[RANDOM_BYTES];
        ThreadLocalRandom.current().nextBytes(random);
        return prefix + HexFormat.of().formatHex(random);
    }
}
