package dev.weir.server;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.Semaphore;
import java.util.logging.Logger;

/** A driver for the database of another, in front of which it is slow, or gone, when a test says so. */
final class UnreliableDatabase implements Driver, AutoCloseable {
    private static final String URL = "jdbc:unreliable:";

    private final String real;
    private final Semaphore statements = new Semaphore(1 << 30);
    private volatile boolean isGone;

    /** In front of the database at {@code real}; there may be one at a time. */
    UnreliableDatabase(String real) throws SQLException {
        this.real = real;
        DriverManager.registerDriver(this);
    }

    JdbcUrl url() {
        return new JdbcUrl(URL);
    }

    /** From now on it answers no statement. */
    void hold() {
        statements.drainPermits();
    }

    void release() {
        statements.drainPermits();
        statements.release(1 << 30);
    }

    void setGone(boolean gone) {
        isGone = gone;
    }

    @Override
    public boolean acceptsURL(String url) {
        return url.equals(URL);
    }

    @Override
    public Connection connect(String url, Properties info) throws SQLException {
        if (!acceptsURL(url)) {
            return null;
        }
        check();
        Connection open = DriverManager.getConnection(real);
        return (Connection) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Connection.class}, (_, method, arguments) -> {
                    if (method.getName().equals("prepareStatement")) {
                        statements.acquireUninterruptibly();
                    }
                    if (!method.getName().equals("close")) {
                        check();
                    }
                    try {
                        return method.invoke(open, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private void check() throws SQLException {
        if (isGone) {
            throw new SQLException("the database is gone");
        }
    }

    @Override
    public DriverPropertyInfo[] getPropertyInfo(String url, Properties info) {
        return new DriverPropertyInfo[0];
    }

    @Override
    public int getMajorVersion() {
        return 1;
    }

    @Override
    public int getMinorVersion() {
        return 0;
    }

    @Override
    public boolean jdbcCompliant() {
        return false;
    }

    @Override
    public Logger getParentLogger() {
        return Logger.getGlobal();
    }

    @Override
    public void close() throws SQLException {
        release();
        DriverManager.deregisterDriver(this);
    }
}
