package dev.weir.loadtest;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as people write them: 500ms, 20s, 1.5m, 1h. */
final class Durations {

    private static final Pattern FORM = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(us|ms|s|m|h)");

    private Durations() {}

    static Duration parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is no duration: write a number and a unit, such as 500ms, 20s, 2m or 1h");
        }
        long unitNanos = switch (matcher.group(2)) {
            case "us" -> 1_000L;
            case "ms" -> 1_000_000L;
            case "s" -> 1_000_000_000L;
            case "m" -> 60_000_000_000L;
            default -> 3_600_000_000_000L;
        };
        BigDecimal nanos = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unitNanos));
        if (nanos.compareTo(BigDecimal.valueOf(Duration.ofDays(30).toNanos())) > 0) {
            throw new IllegalArgumentException("'" + text + "' is longer than 30 days");
        }
        return Duration.ofNanos(nanos.longValue());
    }

    /** The shortest of these forms that keeps milliseconds: 90s, 500ms, 1.5s. */
    static String format(Duration duration) {
        long millis = duration.toMillis();
        if (millis % 1000 != 0 && millis < 1000) {
            return millis + "ms";
        }
        return new BigDecimal(millis).movePointLeft(3).stripTrailingZeros().toPlainString() + "s";
    }
}
