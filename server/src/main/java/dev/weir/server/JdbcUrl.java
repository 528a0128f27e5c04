package dev.weir.server;

import java.util.Locale;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where a database is, as its JDBC driver has it. Shown without the password that it may hold. Immutable; any thread.
 *
 * @param text the URL as it was written
 */
record JdbcUrl(String text) {
    private static final String H2 = "jdbc:h2:";

    private static final Pattern PASSWORD = Pattern.compile("(?i)(password=)[^;&]*");
    private static final Pattern USER_AND_PASSWORD = Pattern.compile("//[^/@]*@");

    /** Reads one from the command line. */
    static final class Converter implements ITypeConverter<JdbcUrl> {
        @Override
        public JdbcUrl convert(String text) {
            if (!text.startsWith("jdbc:")) {
                throw new TypeConversionException(
                        "'" + text + "' is not a JDBC URL; write one such as jdbc:h2:file:/var/lib/weir/responses");
            }
            return new JdbcUrl(text);
        }
    }

    /**
     * The URL for the driver. H2 would close the database as soon as the process is told to stop, while the last responses are
     * still to be stored.
     */
    String forDriver() {
        boolean isToStay = isEmbeddedH2() && !text.toUpperCase(Locale.ROOT).contains(";DB_CLOSE_ON_EXIT=");
        return isToStay ? text + ";DB_CLOSE_ON_EXIT=FALSE" : text;
    }

    /** Whether it is H2 within this process, not a server of its own. */
    boolean isEmbeddedH2() {
        return text.startsWith(H2) && !text.startsWith(H2 + "tcp:") && !text.startsWith(H2 + "ssl:");
    }

    @Override
    public String toString() {
        String shown = PASSWORD.matcher(text).replaceAll("$1***");
        return USER_AND_PASSWORD.matcher(shown).replaceAll("//***@");
    }
}
