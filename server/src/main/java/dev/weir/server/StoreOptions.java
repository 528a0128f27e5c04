package dev.weir.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options that say where responses that have ended and conversations are kept, and how many for how long. */
final class StoreOptions {
    private static final int MOST_DAYS = 36_500;

    private static final JdbcUrl MEMORY = new JdbcUrl("memory");

    /** Reads what {@code --store} may be. */
    static final class StoreConverter implements ITypeConverter<JdbcUrl> {
        @Override
        public JdbcUrl convert(String text) {
            if (text.equals(MEMORY.text())) {
                return MEMORY;
            }
            if (!text.startsWith("jdbc:")) {
                throw new TypeConversionException("'" + text
                        + "' is no JDBC URL; write one such as jdbc:h2:file:/var/lib/weir/responses, or memory");
            }
            return new JdbcUrl(text);
        }
    }

    @Option(
            names = "--store",
            paramLabel = "URL",
            converter = StoreConverter.class,
            description =
                    "Where responses are kept that have ended, and conversations: the JDBC URL of a database, such as"
                            + " jdbc:h2:file:/var/lib/weir/responses, in which they survive a restart, or memory. Drivers of"
                            + " other databases than H2 and PostgreSQL go into WEIR_CLASS_PATH. Default: a file of H2 in ~/.local/state/weir,"
                            + " named after the port; memory with port 0.")
    private @Nullable JdbcUrl store;

    private String warning = "";

    @Option(
            names = "--store-days",
            paramLabel = "N",
            description =
                    "Days for which responses are kept in the database after their end, and conversations after their last"
                            + " change. Default: ${DEFAULT-VALUE}.")
    private int storeDays = 30;

    @Option(
            names = "--store-memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description =
                    "Memory, without a database, for responses that have ended and conversations, for requests that go on"
                            + " from them or ask for them; those that were not used for longest make room."
                            + " Default: ${DEFAULT-VALUE}.")
    private MemorySize storeMemory = new MemorySize(64 << 20);

    @Option(
            names = "--store-responses",
            paramLabel = "N",
            description =
                    "Responses and conversations that are kept there at most; 0 keeps none. Default: ${DEFAULT-VALUE}.")
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
     * Where responses are kept by a server on a port. If nobody said where, and there it cannot be, that is memory, with a
     * {@link #warning}.
     *
     * @throws IllegalArgumentException if a database that was asked for cannot be used
     */
    Store open(int port) {
        String state = System.getenv("XDG_STATE_HOME");
        return open(
                state == null || state.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".local", "state")
                        : Path.of(state),
                port);
    }

    /** The same where programs keep their state in a folder. */
    Store open(Path home, int port) {
        if (store == null) {
            try {
                store = port == 0 ? MEMORY : inFile(home, port);
                return open(store);
            } catch (IllegalArgumentException | IOException e) {
                warning = (e instanceof IOException ? "cannot keep responses in a file: " + e : e.getMessage())
                        + "; responses are kept in memory and will not survive a restart";
                store = MEMORY;
            }
        }
        return open(store);
    }

    /** What the user should know of where responses are kept; mostly nothing. */
    String warning() {
        return warning;
    }

    private Store open(JdbcUrl where) {
        return where.equals(MEMORY)
                ? new MemoryStore(storeResponses, storeMemory.bytes())
                : new JdbcStore(where, Duration.ofDays(storeDays), System::currentTimeMillis);
    }

    /** One file a port, as it belongs to one process; nobody else may read what was said. */
    private static JdbcUrl inFile(Path home, int port) throws IOException {
        Path folder = home.toAbsolutePath().resolve("weir");
        if (Files.notExists(folder)) {
            Files.createDirectories(folder);
            if (Files.getFileStore(folder).supportsFileAttributeView(PosixFileAttributeView.class)) {
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
            }
        }
        return new JdbcUrl("jdbc:h2:file:" + folder.resolve("responses-" + port));
    }
}
