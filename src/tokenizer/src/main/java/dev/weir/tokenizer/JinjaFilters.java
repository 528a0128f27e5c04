package dev.weir.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/** Jinja's filters that chat templates use: what may stand after {@code |}. Immutable; any thread. */
final class JinjaFilters {
    private static final Map<String, JinjaFunction> FILTERS = new HashMap<>();

    static {
        for (String name : List.of("default", "d")) {
            add(name + "(value, default_value, boolean)", a -> {
                Object value = a.get(0);
                boolean isMissing = value instanceof Python.Undefined || (a.flag(2, false) && !Python.isTrue(value));
                return isMissing ? a.get(1, MarkedText.EMPTY) : value;
            });
        }
        for (String name : List.of("length", "count")) {
            add(name + "(value)", a -> Python.length(a.get(0)));
        }
        for (String name : List.of("string", "safe")) {
            add(name + "(value)", a -> Python.str(a.get(0)));
        }
        add("trim(value, chars)", a -> PythonText.strip(Python.str(a.get(0)), a.textOrNull(1), true, true));
        add(
                "replace(value, old, new, count)",
                a -> PythonText.replace(Python.str(a.get(0)), a.text(1), a.text(2), a.integer(3, -1)));
        addChange("upper", value -> value.toUpperCase(Locale.ROOT));
        addChange("lower", value -> value.toLowerCase(Locale.ROOT));
        addChange("capitalize", PythonText::capitalized);
        addChange("title", value -> PythonText.titled(value, c -> PythonText.isSpace(c) || "-({[<".indexOf(c) >= 0));
        add("int(value, default)", a -> toInt(a.get(0), a.get(1, 0L)));
        add("tojson(value, ensure_ascii, indent)", JinjaJson::write);

        add("list(value)", a -> Python.items(a.get(0)));
        add("first(value)", a -> Python.item(Python.items(a.get(0)), 0L));
        add("last(value)", a -> Python.item(Python.items(a.get(0)), -1L));
        add("reverse(value)", a -> Python.slice(a.get(0), null, null, -1L));
        add("items(value)", a -> Python.pairs(a.get(0) instanceof Map<?, ?> dict ? dict : Map.of()));
        add("join(value, d, attribute)", a -> {
            List<Object> items = Python.items(a.get(0));
            if (a.has(2)) {
                items.replaceAll(item -> member(item, a.get(2)));
            }
            return PythonText.join(Python.str(a.get(1, MarkedText.EMPTY)), items);
        });
        add("dictsort(value, case_sensitive)", a -> {
            List<Object> pairs = Python.pairs(a.get(0) instanceof Map<?, ?> dict ? dict : Map.of());
            pairs.sort(
                    (left, right) -> Python.compare(sortKey(left, a.flag(1, false)), sortKey(right, a.flag(1, false))));
            return pairs;
        });
        add("map(value, filter, argument, argument2, attribute, default)", a -> {
            List<Object> items = itemsIfTrue(a.get(0));
            items.replaceAll(item -> map(item, a));
            return items;
        });
        for (boolean keeps : new boolean[] {true, false}) {
            String name = keeps ? "select" : "reject";
            add(name + "(value, test, argument)", a -> {
                List<Object> items = itemsIfTrue(a.get(0));
                items.removeIf(item -> test(a, 1).test(item) != keeps);
                return items;
            });
            add(name + "attr(value, attribute, test, argument)", a -> {
                List<Object> items = itemsIfTrue(a.get(0));
                items.removeIf(item -> test(a, 2).test(member(item, a.get(1))) != keeps);
                return items;
            });
        }
    }

    private JinjaFilters() {}

    private static void add(String signature, JinjaFunction.Body body) {
        FILTERS.put(signature.substring(0, signature.indexOf('(')), JinjaFunction.of(signature, body));
    }

    private static void addChange(String name, UnaryOperator<String> change) {
        add(name + "(value)", a -> {
            MarkedText text = Python.str(a.get(0));
            return text.changedTo(change.apply(text.toString()));
        });
    }

    /** The filter of a name. A template may name one that does not exist where it never gets to. */
    static JinjaFunction named(String name) {
        JinjaFunction filter = FILTERS.get(name);
        if (filter == null) {
            throw new JinjaError("the filter \"" + name + "\" is not supported");
        }
        return filter;
    }

    /** The test whose name, if any, is an argument of a filter. */
    private static Predicate<Object> test(JinjaFunction.Arguments arguments, int index) {
        if (!arguments.has(index)) {
            return Python::isTrue;
        }
        JinjaFunction test = JinjaTests.named(arguments.text(index).toString());
        boolean hasArgument = arguments.has(index + 1);
        return item -> Python.isTrue(
                test.call(hasArgument ? List.of(item, arguments.get(index + 1)) : List.of(item), Map.of()));
    }

    private static Object map(Object item, JinjaFunction.Arguments arguments) {
        if (arguments.has(4)) {
            Object member = member(item, arguments.get(4));
            return member instanceof Python.Undefined ? arguments.get(5, member) : member;
        }
        List<Object> passed = new ArrayList<>(List.of(item));
        for (int i = 2; i < 4 && arguments.has(i); i++) {
            passed.add(arguments.get(i));
        }
        return named(arguments.text(1).toString()).call(passed, Map.of());
    }

    /** These filters also go through None, which has no items otherwise. */
    private static List<Object> itemsIfTrue(Object value) {
        return Python.isTrue(value) ? Python.items(value) : new ArrayList<>();
    }

    private static Object sortKey(Object pair, boolean isCaseSensitive) {
        Object key = Python.item(pair, 0L);
        return key instanceof MarkedText text && !isCaseSensitive
                ? MarkedText.trusted(text.toString().toLowerCase(Locale.ROOT))
                : key;
    }

    /** The member of a value that a path with dots names. */
    private static Object member(Object value, Object path) {
        Object member = value;
        for (String name : Python.str(path).toString().split("\\.", -1)) {
            member = Python.item(
                    member, name.matches("[0-9]{1,9}") ? (Object) Long.valueOf(name) : MarkedText.trusted(name));
        }
        return member;
    }

    private static Object toInt(Object value, Object otherwise) {
        return switch (value) {
            case Long number -> number;
            case Boolean bool -> bool ? 1L : 0L;
            case MarkedText text
            when text.toString().strip().matches("[-+]?[0-9]{1,18}") ->
                Long.valueOf(text.toString().strip());
            default -> otherwise;
        };
    }
}
