package dev.weir.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes values as Python's {@code json.dumps} does, which is what {@code tojson} means in chat templates. Owned by one call. */
final class JinjaJson {
    private final MarkedText.Builder out = new MarkedText.Builder();
    private final boolean isAscii;
    private final @Nullable String indent;

    private JinjaJson(boolean isAscii, @Nullable String indent) {
        this.isAscii = isAscii;
        this.indent = indent;
    }

    /** The filter {@code tojson(value, ensure_ascii, indent)}. */
    static MarkedText write(JinjaFunction.Arguments arguments) {
        boolean isIndented = arguments.has(2) && arguments.get(2) != Python.None.NONE;
        String indent = isIndented ? " ".repeat(Math.max(0, arguments.integer(2, 0))) : null;
        JinjaJson json = new JinjaJson(arguments.flag(1, false), indent);
        json.write(arguments.get(0), 1);
        return json.out.build();
    }

    private void write(Object value, int depth) {
        switch (value) {
            case Boolean bool -> out.append(bool.toString());
            case Long number -> out.append(number.toString());
            case Python.Decimal number -> out.append(number.toString());
            case Python.None _ -> out.append("null");
            case MarkedText text -> out.append(text.changedTo(quoted(text.toString())));
            case List<?> list -> {
                String separator = "[";
                for (Object item : list) {
                    begin(separator, depth);
                    write(item, depth + 1);
                    separator = ",";
                }
                end(list.isEmpty() ? "[]" : "]", depth);
            }
            case Map<?, ?> dict -> {
                String separator = "{";
                for (Map.Entry<?, ?> entry : dict.entrySet()) {
                    begin(separator, depth);
                    write(Python.str(entry.getKey()), depth);
                    out.append(": ");
                    write(entry.getValue(), depth + 1);
                    separator = ",";
                }
                end(dict.isEmpty() ? "{}" : "}", depth);
            }
            default -> throw new JinjaError(Python.typeName(value) + " cannot be written as JSON");
        }
    }

    private void begin(String separator, int depth) {
        out.append(separator);
        if (indent != null) {
            out.append("\n" + indent.repeat(depth));
        } else if (separator.equals(",")) {
            out.append(" ");
        }
    }

    private void end(String bracket, int depth) {
        if (indent != null && bracket.length() == 1) {
            out.append("\n" + indent.repeat(depth - 1));
        }
        out.append(bracket);
    }

    private String quoted(String value) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            int escape = "\n\t\r\b\f\"\\".indexOf(c);
            if (escape >= 0) {
                quoted.append('\\').append("ntrbf\"\\".charAt(escape));
            } else if (c < ' ' || (isAscii && c > '~')) {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
