package dev.weir.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What Python's str does, on text that keeps its marks. */
final class PythonText {
    private PythonText() {}

    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    /** A method of a text, or null if there is none of that name. */
    static @Nullable JinjaFunction method(MarkedText text, String name) {
        String value = text.toString();
        return switch (name) {
            case "strip" -> JinjaFunction.of("strip(chars)", a -> strip(text, a.textOrNull(0), true, true));
            case "lstrip" -> JinjaFunction.of("lstrip(chars)", a -> strip(text, a.textOrNull(0), true, false));
            case "rstrip" -> JinjaFunction.of("rstrip(chars)", a -> strip(text, a.textOrNull(0), false, true));
            case "split" ->
                JinjaFunction.of("split(sep, maxsplit)", a -> {
                    MarkedText separator = a.textOrNull(0);
                    int most = a.integer(1, -1);
                    return separator == null ? words(text, most) : split(text, separator.toString(), most);
                });
            case "startswith" -> JinjaFunction.of("startswith(prefix)", a -> isAny(a.get(0), value::startsWith));
            case "endswith" -> JinjaFunction.of("endswith(suffix)", a -> isAny(a.get(0), value::endsWith));
            case "removeprefix" ->
                JinjaFunction.of("removeprefix(prefix)", a -> {
                    String prefix = a.text(0).toString();
                    return value.startsWith(prefix) ? text.substring(prefix.length(), value.length()) : text;
                });
            case "removesuffix" ->
                JinjaFunction.of("removesuffix(suffix)", a -> {
                    String suffix = a.text(0).toString();
                    return value.endsWith(suffix) ? text.substring(0, value.length() - suffix.length()) : text;
                });
            case "replace" ->
                JinjaFunction.of(
                        "replace(old, new, count)", a -> replace(text, a.text(0), a.text(1), a.integer(2, -1)));
            case "join" -> JinjaFunction.of("join(iterable)", a -> join(text, Python.items(a.get(0))));
            case "upper" -> JinjaFunction.of("upper()", _ -> text.changedTo(value.toUpperCase(Locale.ROOT)));
            case "lower" -> JinjaFunction.of("lower()", _ -> text.changedTo(value.toLowerCase(Locale.ROOT)));
            case "capitalize" -> JinjaFunction.of("capitalize()", _ -> text.changedTo(capitalized(value)));
            case "title" ->
                JinjaFunction.of("title()", _ -> text.changedTo(titled(value, c -> !Character.isLetter(c))));
            default -> null;
        };
    }

    private static boolean isAny(Object affixes, Predicate<String> predicate) {
        List<?> candidates = affixes instanceof List<?> list ? list : List.of(affixes);
        return candidates.stream()
                .anyMatch(affix -> predicate.test(Python.str(affix).toString()));
    }

    /** A text without the characters at its ends that are in a set; null is white space. */
    static MarkedText strip(MarkedText text, @Nullable MarkedText characters, boolean left, boolean right) {
        String value = text.toString();
        IntPredicate goes =
                c -> characters == null ? isSpace(c) : characters.toString().indexOf(c) >= 0;
        int start = 0;
        int end = value.length();
        while (left && start < end && goes.test(value.codePointAt(start))) {
            start += Character.charCount(value.codePointAt(start));
        }
        while (right && end > start && goes.test(value.codePointBefore(end))) {
            end -= Character.charCount(value.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    /** The characters of a text from one place to before another, where a surrogate pair is one character. */
    static MarkedText part(MarkedText text, long start, long end) {
        String value = text.toString();
        int from = value.offsetByCodePoints(0, (int) start);
        return text.substring(from, value.offsetByCodePoints(from, (int) (end - start)));
    }

    static List<Object> characters(MarkedText text) {
        List<Object> characters = new ArrayList<>(text.length());
        String value = text.toString();
        for (int i = 0; i < value.length(); ) {
            int end = i + Character.charCount(value.codePointAt(i));
            characters.add(text.substring(i, end));
            i = end;
        }
        return characters;
    }

    private static List<Object> split(MarkedText text, String separator, int most) {
        if (separator.isEmpty()) {
            throw new JinjaError("an empty str separates nothing");
        }
        List<Object> parts = new ArrayList<>();
        int start = 0;
        int next;
        while (parts.size() != most && (next = text.toString().indexOf(separator, start)) >= 0) {
            parts.add(text.substring(start, next));
            start = next + separator.length();
        }
        parts.add(text.substring(start, text.length()));
        return parts;
    }

    /** The parts between white space, of which there is none at either end. */
    private static List<Object> words(MarkedText text, int most) {
        List<Object> words = new ArrayList<>();
        MarkedText rest = strip(text, null, true, false);
        while (!rest.isEmpty()) {
            int end = words.size() == most ? rest.length() : 0;
            while (end < rest.length() && !isSpace(rest.toString().charAt(end))) {
                end++;
            }
            words.add(rest.substring(0, end));
            rest = strip(rest.substring(end, rest.length()), null, true, false);
        }
        return words;
    }

    static MarkedText replace(MarkedText text, MarkedText old, MarkedText replacement, int most) {
        return join(replacement, split(text, old.toString(), most));
    }

    static MarkedText join(MarkedText separator, List<?> items) {
        MarkedText.Builder out = new MarkedText.Builder();
        for (int i = 0; i < items.size(); i++) {
            out.append(i == 0 ? MarkedText.EMPTY : separator).append(Python.str(items.get(i)));
        }
        return out.build();
    }

    static String capitalized(String value) {
        int first = value.isEmpty() ? 0 : value.offsetByCodePoints(0, 1);
        return value.substring(0, first).toUpperCase(Locale.ROOT)
                + value.substring(first).toLowerCase(Locale.ROOT);
    }

    /** A text with each letter in lower case but those at the beginning or after a character of a kind. */
    static String titled(String value, IntPredicate endsWord) {
        StringBuilder out = new StringBuilder();
        boolean isFirst = true;
        for (int c : value.codePoints().toArray()) {
            out.appendCodePoint(isFirst ? Character.toUpperCase(c) : Character.toLowerCase(c));
            isFirst = endsWord.test(c);
        }
        return out.toString();
    }

    /** The characters that a string literal stands for; an escape that Python does not know stays as it is. */
    static String unescape(String literal, int line) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < literal.length(); i++) {
            char c = literal.charAt(i);
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char kind = literal.charAt(++i);
            switch (kind) {
                case '\n' -> {}
                case '\\', '\'', '"' -> out.append(kind);
                case 'n' -> out.append('\n');
                case 't' -> out.append('\t');
                case 'r' -> out.append('\r');
                case 'x', 'u', 'U' -> {
                    int end = i + (kind == 'x' ? 3 : kind == 'u' ? 5 : 9);
                    out.appendCodePoint(codePoint(literal, i + 1, end, line));
                    i = end - 1;
                }
                case 'a', 'b', 'f', 'v', 'N', '0', '1', '2', '3', '4', '5', '6', '7' ->
                    throw new JinjaError(
                            line, "the escape \\" + kind + " is not supported; \\u can write any character");
                default -> out.append(c).append(kind);
            }
        }
        return out.toString();
    }

    private static int codePoint(String literal, int start, int end, int line) {
        String digits = literal.substring(start, Math.min(end, literal.length()));
        try {
            int value = Integer.parseUnsignedInt(digits, 16);
            if (end <= literal.length() && Character.isValidCodePoint(value)) {
                return value;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new JinjaError(line, "an escape has \"" + digits + "\" where a character's number belongs");
    }
}
