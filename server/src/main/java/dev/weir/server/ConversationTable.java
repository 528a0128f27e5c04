package dev.weir.server;

import java.sql.SQLException;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The database table of the conversations that are stored: what is in it, and all its SQL. Owned by the database's thread; servers
 * that share a database lose nothing of what the others add.
 */
final class ConversationTable {
    /** A later version that stores something else gets a table with the next number, and may take over what is in this one. */
    private static final String NAME = "weir_conversations_1";

    /** The time is in milliseconds since 1970; what is stored is as {@link StoredBytes} writes it. */
    private static final String COLUMNS = "id VARCHAR(64) NOT NULL PRIMARY KEY, tenant VARCHAR(1000) NOT NULL,"
            + " changed_at BIGINT NOT NULL, version INT NOT NULL, conversation %1$s NOT NULL";

    private static final String INSERT =
            "INSERT INTO " + NAME + " (id, tenant, changed_at, version, conversation) VALUES (?, ?, ?, 1, ?)";
    private static final String FIND = "SELECT version, conversation FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String UPDATE = "UPDATE " + NAME
            + " SET changed_at = ?, version = ?, conversation = ? WHERE id = ? AND tenant = ? AND version = ?";
    private static final String DELETE = "DELETE FROM " + NAME + " WHERE id = ? AND tenant = ?";
    private static final String DELETE_OLD = "DELETE FROM " + NAME + " WHERE changed_at < ?";

    private final Database database;

    private record Version(int number, StoredConversation conversation) {}

    /**
     * The table of a database, made if it is missing.
     *
     * @throws SQLException if the database cannot be reached, or has no such table and lets us make none
     */
    ConversationTable(Database database) throws SQLException {
        this.database = database;
        database.create(NAME, COLUMNS, "changed_at");
    }

    void insert(StoredConversation conversation, long nowMillis) throws SQLException {
        database.change(INSERT, insert -> {
            insert.setString(1, conversation.id());
            insert.setString(2, conversation.tenant());
            insert.setLong(3, nowMillis);
            insert.setBytes(4, StoredBytes.of(conversation));
        });
    }

    Optional<StoredConversation> find(String tenant, String id) throws SQLException {
        return version(tenant, id).map(Version::conversation);
    }

    /** Changes one, again from the start if somebody else changed it at the same time. */
    Optional<StoredConversation> change(
            String tenant, String id, UnaryOperator<StoredConversation> change, long nowMillis) throws SQLException {
        while (true) {
            Optional<Version> found = version(tenant, id);
            if (found.isEmpty()) {
                return Optional.empty();
            }
            int version = found.get().number();
            StoredConversation changed = change.apply(found.get().conversation());
            int rows = database.change(UPDATE, update -> {
                update.setLong(1, nowMillis);
                update.setInt(2, version + 1);
                update.setBytes(3, StoredBytes.of(changed));
                update.setString(4, id);
                update.setString(5, tenant);
                update.setInt(6, version);
            });
            if (rows > 0) {
                return Optional.of(changed);
            }
        }
    }

    /** Whether it was there. */
    boolean delete(String tenant, String id) throws SQLException {
        return database.change(DELETE, Database.named(tenant, id)) > 0;
    }

    /** Deletes what nobody changed since a time and says how many those were. */
    int deleteOlderThan(long millis) throws SQLException {
        return database.change(DELETE_OLD, delete -> delete.setLong(1, millis));
    }

    private Optional<Version> version(String tenant, String id) throws SQLException {
        return database.find(
                FIND,
                Database.named(tenant, id),
                row -> new Version(row.getInt(1), StoredBytes.conversation(tenant, row.getBytes(2))));
    }
}
