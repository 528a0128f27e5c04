package dev.weir.server;

import java.time.LocalDate;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a key: whose it is and what it may do. Not the key itself, only its hash. Immutable; any thread.
 *
 * @param name what its holder is called; unique in a file
 * @param sha256 the key's SHA-256 in lower-case hexadecimal digits
 * @param tenant whose share of the model its requests use; null means that of its name
 * @param limits how much it may ask for
 * @param models the models that it may use; empty is all
 * @param origins the origins whose pages may use it; empty is all. Programs that are no browser name no origin
 * @param expires the last day on which it is valid, in UTC; null is for good
 */
record ApiKey(
        String name,
        String sha256,
        @Nullable String tenant,
        Limits limits,
        List<String> models,
        List<String> origins,
        @Nullable LocalDate expires) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._@-]{1,64}");
    private static final int HASH_BYTES = 32;

    /** Stands for everybody where no keys are asked for. */
    static final ApiKey NONE =
            new ApiKey("anonymous", "0".repeat(2 * HASH_BYTES), null, Limits.NONE, List.of(), List.of(), null);

    /**
     * How much a key may ask for; 0 is any amount.
     *
     * @param requestsPerMinute requests begun in a minute
     * @param tokensPerMinute tokens of prompts and answers in a minute
     * @param concurrent requests that have not ended
     */
    record Limits(int requestsPerMinute, int tokensPerMinute, int concurrent) {
        static final Limits NONE = new Limits(0, 0, 0);

        Limits {
            check("requests-per-minute", requestsPerMinute);
            check("tokens-per-minute", tokensPerMinute);
            check("concurrent", concurrent);
        }

        private static void check(String name, int value) {
            if (value < 0) {
                throw new IllegalArgumentException(name + " is " + value + " but must be 0 or more; 0 is no limit");
            }
        }
    }

    ApiKey {
        checkName("name", name);
        if (tenant != null) {
            checkName("tenant", tenant);
        }
        if (!isHash(sha256)) { // which is not shown: somebody may have put the key itself there
            throw new IllegalArgumentException("sha256 of \"" + name + "\" must be " + 2 * HASH_BYTES
                    + " lower-case hexadecimal digits; make keys with: weir key create");
        }
        models = List.copyOf(models);
        origins = origins.stream()
                .map(origin -> WebOrigin.of("origin", origin).toString())
                .toList();
    }

    /** Whose share of the model its requests use. */
    String owner() {
        return tenant == null ? name : tenant;
    }

    byte[] hash() {
        return HexFormat.of().parseHex(sha256);
    }

    private static boolean isHash(String text) {
        return text.length() == 2 * HASH_BYTES && text.matches("[0-9a-f]*");
    }

    private static void checkName(String field, String value) {
        if (!NAME.matcher(value).matches()) {
            throw new IllegalArgumentException(field + " is \"" + value
                    + "\" but must be 1 to 64 letters, digits and signs of . _ @ -; choose another");
        }
    }
}
