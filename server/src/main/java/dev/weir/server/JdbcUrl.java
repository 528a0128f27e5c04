package dev.weir.server;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where a database is, as its JDBC driver has it. Shown without the password that it may hold. Immutable; any thread.
 *
 * @param text the URL as it was written
 */
record JdbcUrl(String text) {
    private static final String H2 = "jdbc:h2:";

    private static final Pattern PASSWORD = Pattern.compile("(?i)(password=)[^;&]*");
    /** Up to the last sign that may end it: a password may hold one itself. */
    private static final Pattern USER_AND_PASSWORD = Pattern.compile("//.*@");

    /**
     * The URL for the driver. Left to itself H2 would close the database as soon as the process is told to stop, while the last
     * responses are still to be stored, would cache pages in a sixteenth of the memory, and would write errors to a file of its own.
     */
    String forDriver() {
        if (!isEmbeddedH2()) {
            return text;
        }
        String given = text.toUpperCase(Locale.ROOT);
        StringBuilder all = new StringBuilder(text);
        for (String setting : List.of("DB_CLOSE_ON_EXIT=FALSE", "CACHE_SIZE=16384", "TRACE_LEVEL_FILE=0")) {
            if (!given.contains(';' + setting.substring(0, setting.indexOf('=') + 1))) {
                all.append(';').append(setting);
            }
        }
        return all.toString();
    }

    /** Whether it is H2 within this process, not a server of its own. */
    boolean isEmbeddedH2() {
        return text.startsWith(H2) && !text.startsWith(H2 + "tcp:") && !text.startsWith(H2 + "ssl:");
    }

    /** A driver's message, which may repeat the URL, without the password in it. */
    String hiddenIn(String message) {
        return message.replace(forDriver(), toString()).replace(text, toString());
    }

    @Override
    public String toString() {
        String shown = PASSWORD.matcher(text).replaceAll("$1***");
        return USER_AND_PASSWORD.matcher(shown).replaceAll("//***@");
    }
}
