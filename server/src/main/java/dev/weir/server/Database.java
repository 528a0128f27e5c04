package dev.weir.server;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A connection to a database, opened again when it is lost. Owned by one thread, which every call may block. */
final class Database implements AutoCloseable {
    private final JdbcUrl url;
    private @Nullable Connection connection;

    /** Some work on a connection. */
    interface Work<T> {
        T on(Connection open) throws SQLException;
    }

    /** Fills in what a statement leaves open. */
    interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    /** The parameters of a statement that asks for a tenant's thing by its name: first that, then the tenant. */
    static Parameters named(String tenant, String id) {
        return statement -> {
            statement.setString(1, id);
            statement.setString(2, tenant);
        };
    }

    /** Takes what is wanted of a row. */
    interface Row<T> {
        T read(ResultSet row) throws SQLException;
    }

    /** A database that has not been connected to. */
    Database(JdbcUrl url) {
        this.url = url;
    }

    /**
     * Makes a table, unless it is there.
     *
     * @param columns with {@code %1$s} for the type for many bytes, on whose name databases do not agree
     * @param age the column by which old rows are found
     * @throws SQLException if the database cannot be reached, or has no such table and lets us make none
     */
    void create(String table, String columns, String age) throws SQLException {
        Connection open = connection == null ? connect() : connection;
        if (!isThere(open, table)) {
            commit(open, true, _ -> {
                execute(open, "CREATE TABLE " + table + " (" + columns.formatted(bytesType(open)) + ")");
                execute(open, "CREATE INDEX " + table + "_age ON " + table + " (" + age + ")");
                return table;
            });
        }
    }

    /** The first row that a statement finds. */
    <T> Optional<T> find(String sql, Parameters parameters, Row<T> row) throws SQLException {
        return inTransaction(false, open -> {
            try (PreparedStatement select = open.prepareStatement(sql)) {
                parameters.set(select);
                try (ResultSet found = select.executeQuery()) {
                    return found.next() ? Optional.of(row.read(found)) : Optional.empty();
                }
            }
        });
    }

    /** Carries out a statement and says how many rows it changed. */
    int change(String sql, Parameters parameters) throws SQLException {
        return inTransaction(true, open -> change(open, sql, parameters));
    }

    /** The same as a part of some work. */
    static int change(Connection open, String sql, Parameters parameters) throws SQLException {
        try (PreparedStatement statement = open.prepareStatement(sql)) {
            parameters.set(statement);
            return statement.executeUpdate();
        }
    }

    /** Does some work, a second time on a new connection if the one at hand is no longer good. */
    <T> T inTransaction(boolean isChange, Work<T> work) throws SQLException {
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

    private static boolean isThere(Connection open, String table) throws SQLException {
        try {
            execute(open, "SELECT id FROM " + table + " WHERE id = ''");
            return true;
        } catch (SQLException _) {
            return false;
        } finally {
            open.rollback();
        }
    }

    private static String bytesType(Connection open) throws SQLException {
        return switch (open.getMetaData().getDatabaseProductName()) {
            case "PostgreSQL" -> "BYTEA";
            case "MySQL", "MariaDB" -> "LONGBLOB";
            default -> "BLOB";
        };
    }

    private static void execute(Connection open, String sql) throws SQLException {
        try (Statement statement = open.createStatement()) {
            statement.execute(sql);
        }
    }
}
