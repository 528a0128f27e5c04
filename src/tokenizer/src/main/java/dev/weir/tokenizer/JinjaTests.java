package dev.weir.tokenizer;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Jinja's tests that chat templates use: what may stand after {@code is}. Immutable; any thread. */
final class JinjaTests {
    private static final Map<String, JinjaFunction> TESTS = new HashMap<>();

    static {
        add("defined(value)", a -> !(a.get(0) instanceof Python.Undefined));
        add("undefined(value)", a -> a.get(0) instanceof Python.Undefined);
        add("none(value)", a -> a.get(0) == Python.None.NONE);
        add("boolean(value)", a -> a.get(0) instanceof Boolean);
        add("true(value)", a -> a.get(0).equals(true));
        add("false(value)", a -> a.get(0).equals(false));
        add("integer(value)", a -> a.get(0) instanceof Long);
        add(
                "number(value)",
                a -> a.get(0) instanceof Long || a.get(0) instanceof Python.Decimal || a.get(0) instanceof Boolean);
        add("float(value)", a -> a.get(0) instanceof Python.Decimal);
        add("string(value)", a -> a.get(0) instanceof MarkedText);
        add("mapping(value)", a -> a.get(0) instanceof Map);
        add("sequence(value)", a -> hasItems(a.get(0)));
        add("iterable(value)", a -> hasItems(a.get(0)));
        add("callable(value)", a -> a.get(0) instanceof JinjaFunction);
        add("even(value)", a -> Python.isEqual(Python.modulo(a.get(0), 2L), 0L));
        add("odd(value)", a -> Python.isEqual(Python.modulo(a.get(0), 2L), 1L));
        add("divisibleby(value, num)", a -> Python.isEqual(Python.modulo(a.get(0), a.get(1)), 0L));
        add("in(value, seq)", a -> Python.contains(a.get(1), a.get(0)));
        for (String name : List.of("eq", "equalto", "==")) {
            add(name + "(value, other)", a -> Python.isEqual(a.get(0), a.get(1)));
        }
        for (String name : List.of("ne", "!=")) {
            add(name + "(value, other)", a -> !Python.isEqual(a.get(0), a.get(1)));
        }
    }

    private JinjaTests() {}

    private static void add(String signature, JinjaFunction.Body body) {
        TESTS.put(signature.substring(0, signature.indexOf('(')), JinjaFunction.of(signature, body));
    }

    private static boolean hasItems(Object value) {
        return value instanceof List
                || value instanceof Map
                || value instanceof MarkedText
                || value instanceof Python.Undefined;
    }

    /** The test of a name. A template may name one that does not exist where it never gets to. */
    static JinjaFunction named(String name) {
        JinjaFunction test = TESTS.get(name);
        if (test == null) {
            throw new JinjaError("the test \"" + name + "\" is not supported");
        }
        return test;
    }
}
