package dev.weir.server;

import java.sql.SQLException;
import java.util.Optional;

/** The database table of the responses that are stored: what is in it, and all its SQL. Owned by the database's thread. */
final class ResponseTable {
    /** A later version that stores something else gets a table with the next number, and may take over what is in this one. */
    private static final String NAME = "weir_responses_1";

    /** The time is in milliseconds since 1970; what is stored is as {@link StoredBytes} writes it. */
    private static final String COLUMNS = "id VARCHAR(64) NOT NULL PRIMARY KEY, tenant VARCHAR(1000) NOT NULL,"
            + " ended_at BIGINT NOT NULL, response %1$s NOT NULL, first_event INT NOT NULL, events %1$s NOT NULL";

    private static final String INSERT =
            "INSERT INTO " + NAME + " (id, tenant, ended_at, response, first_event, events) VALUES (?, ?, ?, ?, ?, ?)";
    private static final String FIND = "SELECT response FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String FIND_EVENTS =
            "SELECT first_event, events FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String DELETE = "DELETE FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String DELETE_OLD = "DELETE FROM " + NAME + " WHERE ended_at < ?";

    private final Database database;

    /**
     * The table of a database, made if it is missing.
     *
     * @throws SQLException if the database cannot be reached, or has no such table and lets us make none
     */
    ResponseTable(Database database) throws SQLException {
        this.database = database;
        database.create(NAME, COLUMNS, "ended_at");
    }

    /** Stores a response, over what may be there under its name. */
    void put(StoredResponse response, StoredEvents events, long endedAtMillis) throws SQLException {
        byte[] what = StoredBytes.of(response);
        byte[] sent = StoredBytes.of(events);
        database.inTransaction(true, open -> {
            // if it was stored but nobody could say so
            Database.change(open, DELETE, Database.named(response.tenant(), response.id()));
            return Database.change(open, INSERT, insert -> {
                insert.setString(1, response.id());
                insert.setString(2, response.tenant());
                insert.setLong(3, endedAtMillis);
                insert.setBytes(4, what);
                insert.setInt(5, events.first());
                insert.setBytes(6, sent);
            });
        });
    }

    Optional<StoredResponse> find(String tenant, String id) throws SQLException {
        return database.find(FIND, Database.named(tenant, id), row -> StoredBytes.response(tenant, row.getBytes(1)));
    }

    Optional<StoredEvents> findEvents(String tenant, String id) throws SQLException {
        return database.find(
                FIND_EVENTS, Database.named(tenant, id), row -> StoredBytes.events(row.getInt(1), row.getBytes(2)));
    }

    /** Whether it was there. */
    boolean delete(String tenant, String id) throws SQLException {
        return database.change(DELETE, Database.named(tenant, id)) > 0;
    }

    /** Deletes what ended before a time and says how many those were. */
    int deleteOlderThan(long millis) throws SQLException {
        return database.change(DELETE_OLD, delete -> delete.setLong(1, millis));
    }
}
