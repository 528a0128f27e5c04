package dev.weir.server;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The database table of the responses that are stored: what is in it, and all the SQL. Owned by one thread, which every call
 * may block. Connects again when the connection is lost.
 */
final class ResponseTable implements AutoCloseable {
    /** A later version that stores something else gets a table with the next number, and may take over what is in this one. */
    private static final String NAME = "weir_responses_1";

    /** The time is in milliseconds since 1970; what is stored is as {@link StoredBytes} writes it. */
    private static final String CREATE = "CREATE TABLE " + NAME
            + " (id VARCHAR(64) NOT NULL PRIMARY KEY, tenant VARCHAR(1000) NOT NULL, ended_at BIGINT NOT NULL,"
            + " response %1$s NOT NULL, first_event INT NOT NULL, events %1$s NOT NULL)";

    private static final String CREATE_INDEX = "CREATE INDEX " + NAME + "_age ON " + NAME + " (ended_at)";
    private static final String IS_THERE = "SELECT id FROM " + NAME + " WHERE id = ''";
    private static final String INSERT =
            "INSERT INTO " + NAME + " (id, tenant, ended_at, response, first_event, events) VALUES (?, ?, ?, ?, ?, ?)";
    private static final String FIND = "SELECT response FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String FIND_EVENTS =
            "SELECT first_event, events FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String DELETE = "DELETE FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String DELETE_OLD = "DELETE FROM " + NAME + " WHERE ended_at < ?";

    private final JdbcUrl url;
    private @Nullable Connection connection;

    /**
     * The table of a database, made if it is missing.
     *
     * @throws SQLException if the database cannot be reached, or has no such table and lets us make none
     */
    ResponseTable(JdbcUrl url) throws SQLException {
        this.url = url;
        Connection open = connect();
        if (!isThere(open)) {
            commit(open, true, ResponseTable::create);
        }
    }

    /** Stores a response, over what may be there under its name. */
    void put(StoredResponse response, StoredEvents events, long endedAtMillis) throws SQLException {
        byte[] what = StoredBytes.of(response);
        byte[] sent = StoredBytes.of(events);
        inTransaction(true, open -> {
            delete(open, response.tenant(), response.id()); // if it was stored but nobody could say so
            try (PreparedStatement insert = open.prepareStatement(INSERT)) {
                insert.setString(1, response.id());
                insert.setString(2, response.tenant());
                insert.setLong(3, endedAtMillis);
                insert.setBytes(4, what);
                insert.setInt(5, events.first());
                insert.setBytes(6, sent);
                return insert.executeUpdate();
            }
        });
    }

    Optional<StoredResponse> find(String tenant, String id) throws SQLException {
        return find(FIND, tenant, id, row -> StoredBytes.response(tenant, row.getBytes(1)));
    }

    Optional<StoredEvents> findEvents(String tenant, String id) throws SQLException {
        return find(FIND_EVENTS, tenant, id, row -> StoredBytes.events(row.getInt(1), row.getBytes(2)));
    }

    /** Whether it was there. */
    boolean delete(String tenant, String id) throws SQLException {
        return inTransaction(true, open -> delete(open, tenant, id)) > 0;
    }

    /** Deletes what ended before a time and says how many those were. */
    int deleteOlderThan(long millis) throws SQLException {
        return inTransaction(true, open -> {
            try (PreparedStatement delete = open.prepareStatement(DELETE_OLD)) {
                delete.setLong(1, millis);
                return delete.executeUpdate();
            }
        });
    }

    @Override
    public void close() {
        Connection open = connection;
        connection = null;
        if (open != null) {
            try {
                open.close();
            } catch (SQLException e) {
                Logs.SERVER.debug("the connection to the database did not close in good order", e);
            }
        }
    }

    /** Some work on a connection. */
    private interface Work<T> {
        T on(Connection open) throws SQLException;
    }

    private interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    private <T> Optional<T> find(String sql, String tenant, String id, Row<T> row) throws SQLException {
        return inTransaction(false, open -> {
            try (PreparedStatement select = open.prepareStatement(sql)) {
                select.setString(1, id);
                select.setString(2, tenant);
                try (ResultSet found = select.executeQuery()) {
                    return found.next() ? Optional.of(row.read(found)) : Optional.empty();
                }
            }
        });
    }

    private static int delete(Connection open, String tenant, String id) throws SQLException {
        try (PreparedStatement delete = open.prepareStatement(DELETE)) {
            delete.setString(1, id);
            delete.setString(2, tenant);
            return delete.executeUpdate();
        }
    }

    /** Does some work, a second time on a new connection if the one at hand is no longer good. */
    private <T> T inTransaction(boolean isChange, Work<T> work) throws SQLException {
        Connection open = connection;
        if (open != null) {
            try {
                return commit(open, isChange, work);
            } catch (SQLException _) {
                // perhaps it was lost while nobody used it
            }
        }
        return commit(connect(), isChange, work);
    }

    private <T> T commit(Connection open, boolean isChange, Work<T> work) throws SQLException {
        try {
            T done = work.on(open);
            open.commit();
            if (isChange && url.isEmbeddedH2()) {
                execute(open, "CHECKPOINT"); // else it keeps commits to itself for half a second: lost by a kill -9
            }
            return done;
        } catch (SQLException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private Connection connect() throws SQLException {
        Connection open = DriverManager.getConnection(url.forDriver());
        open.setAutoCommit(false);
        connection = open;
        return open;
    }

    private static boolean isThere(Connection open) throws SQLException {
        try {
            execute(open, IS_THERE);
            return true;
        } catch (SQLException _) {
            return false;
        } finally {
            open.rollback();
        }
    }

    /** Databases agree on all but the name of the type for many bytes. */
    private static boolean create(Connection open) throws SQLException {
        String bytes = switch (open.getMetaData().getDatabaseProductName()) {
            case "PostgreSQL" -> "BYTEA";
            case "MySQL", "MariaDB" -> "LONGBLOB";
            default -> "BLOB";
        };
        execute(open, CREATE.formatted(bytes));
        execute(open, CREATE_INDEX);
        return true;
    }

    private static void execute(Connection open, String sql) throws SQLException {
        try (Statement statement = open.createStatement()) {
            statement.execute(sql);
        }
    }
}
