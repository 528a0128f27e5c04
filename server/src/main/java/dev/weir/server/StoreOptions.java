package dev.weir.server;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that say where responses are kept that have ended, and how many for how long. */
final class StoreOptions {
    private static final int MOST_DAYS = 36_500;

    @Option(
            names = "--store",
            paramLabel = "URL",
            converter = JdbcUrl.Converter.class,
            description = "JDBC URL of a database for responses that have ended, which then survive a restart, such as"
                    + " jdbc:h2:file:/var/lib/weir/responses. Drivers of other databases than H2 go into"
                    + " WEIR_CLASS_PATH. Default: they are kept in memory.")
    private @Nullable JdbcUrl store;

    @Option(
            names = "--store-days",
            paramLabel = "N",
            description = "Days for which responses are kept in the database. Default: ${DEFAULT-VALUE}.")
    private int storeDays = 30;

    @Option(
            names = "--store-memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description =
                    "Memory, without a database, for responses that have ended, for requests that go on from them or"
                            + " ask for them; those that were not used for longest make room. Default: ${DEFAULT-VALUE}.")
    private MemorySize storeMemory = new MemorySize(64 << 20);

    @Option(
            names = "--store-responses",
            paramLabel = "N",
            description = "Responses that are kept there at most; 0 keeps none. Default: ${DEFAULT-VALUE}.")
    private int storeResponses = 10_000;

    /**
     * Looks at the values by themselves.
     *
     * @throws IllegalArgumentException naming the option and its range
     */
    void check() {
        if (storeResponses < 0) {
            throw new IllegalArgumentException("store-responses is " + storeResponses + " but must be 0 or more");
        }
        if (storeDays < 1 || storeDays > MOST_DAYS) {
            throw new IllegalArgumentException("store-days is " + storeDays + " but must be from 1 to " + MOST_DAYS);
        }
    }

    /**
     * Where responses are kept.
     *
     * @throws IllegalArgumentException if the database cannot be used
     */
    ResponseStore open() {
        return store == null
                ? new MemoryResponseStore(storeResponses, storeMemory.bytes())
                : new JdbcResponseStore(store, Duration.ofDays(storeDays), System::currentTimeMillis);
    }
}
