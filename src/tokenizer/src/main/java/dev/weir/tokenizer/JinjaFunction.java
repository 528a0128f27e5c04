package dev.weir.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a template can call: a function, a method, a macro, and also a filter or a test, which take their value first. */
interface JinjaFunction {
    /** Calls it. Values are those that {@link Python} describes. */
    Object call(List<Object> positional, Map<String, Object> named);

    /** What a function does with its arguments. */
    interface Body {
        Object apply(Arguments arguments);
    }

    /**
     * A function.
     *
     * @param signature its name, and in parentheses the names of its parameters, all of which may be left out
     */
    static JinjaFunction of(String signature, Body body) {
        int open = signature.indexOf('(');
        String name = signature.substring(0, open);
        String inside = signature.substring(open + 1, signature.length() - 1);
        List<String> parameters = inside.isEmpty() ? List.of() : List.of(inside.split(", "));
        return (positional, named) -> body.apply(Arguments.bind(name, parameters, positional, named));
    }

    /** The arguments of a call in the order of the function's parameters. Owned by one call. */
    final class Arguments {
        private final String function;
        private final List<String> parameters;
        private final List<@Nullable Object> values;

        private Arguments(String function, List<String> parameters, List<@Nullable Object> values) {
            this.function = function;
            this.parameters = parameters;
            this.values = values;
        }

        static Arguments bind(
                String function, List<String> parameters, List<Object> positional, Map<String, Object> named) {
            if (positional.size() > parameters.size()) {
                throw new JinjaError(
                        function + " takes at most " + parameters.size() + " arguments, not " + positional.size());
            }
            List<@Nullable Object> values = new ArrayList<>(Arrays.asList(new Object[parameters.size()]));
            for (int i = 0; i < positional.size(); i++) {
                values.set(i, positional.get(i));
            }
            named.forEach((name, value) -> {
                int index = parameters.indexOf(name);
                if (index < 0) {
                    throw new JinjaError(function + " has no parameter \"" + name + "\"");
                }
                values.set(index, value);
            });
            return new Arguments(function, parameters, values);
        }

        boolean has(int index) {
            return values.get(index) != null;
        }

        Object get(int index) {
            Object value = values.get(index);
            if (value == null) {
                throw new JinjaError(function + " needs the argument \"" + parameters.get(index) + "\"");
            }
            return value;
        }

        Object get(int index, Object otherwise) {
            return has(index) ? get(index) : otherwise;
        }

        MarkedText text(int index) {
            if (get(index) instanceof MarkedText text) {
                return text;
            }
            throw wrong(index, "a str");
        }

        /** An argument that may also be None. */
        @Nullable
        MarkedText textOrNull(int index) {
            return has(index) && get(index) != Python.None.NONE ? text(index) : null;
        }

        int integer(int index, int otherwise) {
            Object value = get(index, (long) otherwise);
            if (value instanceof Long number && number == number.intValue()) {
                return number.intValue();
            }
            throw wrong(index, "an int");
        }

        boolean flag(int index, boolean otherwise) {
            return Python.isTrue(get(index, otherwise));
        }

        private JinjaError wrong(int index, String wanted) {
            return new JinjaError(function + " needs " + wanted + " as \"" + parameters.get(index) + "\", not "
                    + Python.typeName(get(index)));
        }
    }
}
