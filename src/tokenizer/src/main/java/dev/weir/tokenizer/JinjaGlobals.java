package dev.weir.tokenizer;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The functions that a chat template finds in its variables. Immutable; any thread. */
final class JinjaGlobals {
    /** Python's directives of dates, each followed by Java's pattern. */
    private static final Map<String, String> DATE_PATTERNS = Map.ofEntries(
            Map.entry("a", "EEE"),
            Map.entry("A", "EEEE"),
            Map.entry("b", "MMM"),
            Map.entry("B", "MMMM"),
            Map.entry("d", "dd"),
            Map.entry("-d", "d"),
            Map.entry("F", "yyyy-MM-dd"),
            Map.entry("H", "HH"),
            Map.entry("-H", "H"),
            Map.entry("I", "hh"),
            Map.entry("-I", "h"),
            Map.entry("j", "DDD"),
            Map.entry("m", "MM"),
            Map.entry("-m", "M"),
            Map.entry("M", "mm"),
            Map.entry("p", "a"),
            Map.entry("S", "ss"),
            Map.entry("T", "HH:mm:ss"),
            Map.entry("y", "yy"),
            Map.entry("Y", "yyyy"),
            Map.entry("%", "'%'"));

    private JinjaGlobals() {}

    static Map<String, Object> functions(Clock clock) {
        Map<String, Object> functions = new HashMap<>();
        functions.put("raise_exception", JinjaFunction.of("raise_exception(message)", a -> {
            throw new IllegalArgumentException(Python.str(a.get(0)).toString());
        }));
        functions.put(
                "strftime_now",
                JinjaFunction.of(
                        "strftime_now(format)",
                        a -> MarkedText.trusted(date(a.text(0).toString(), ZonedDateTime.now(clock)))));
        functions.put("range", JinjaFunction.of("range(start, stop, step)", JinjaGlobals::range));
        functions.put("namespace", (JinjaFunction) (positional, named) -> {
            if (!positional.isEmpty()) {
                throw new JinjaError("namespace takes only arguments with names");
            }
            return new Python.Namespace(new HashMap<>(named));
        });
        return functions;
    }

    private static List<Object> range(JinjaFunction.Arguments arguments) {
        int first = arguments.integer(0, 0);
        int start = arguments.has(1) ? first : 0;
        int stop = arguments.has(1) ? arguments.integer(1, 0) : first;
        int step = arguments.integer(2, 1);
        if (step == 0) {
            throw new JinjaError("range has the step 0");
        }
        List<Object> numbers = new ArrayList<>();
        for (long i = start; step > 0 ? i < stop : i > stop; i += step) {
            Python.limited(numbers).add(i);
        }
        return numbers;
    }

    private static String date(String format, ZonedDateTime now) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            if (format.charAt(i) != '%') {
                out.append(format.charAt(i));
                continue;
            }
            int end = Math.min(format.startsWith("-", i + 1) ? i + 3 : i + 2, format.length());
            String pattern = DATE_PATTERNS.get(format.substring(i + 1, end));
            if (pattern == null) {
                throw new JinjaError("strftime_now does not know \"" + format.substring(i, end) + "\"");
            }
            out.append(DateTimeFormatter.ofPattern(pattern, Locale.US).format(now));
            i = end - 1;
        }
        return out.toString();
    }
}
