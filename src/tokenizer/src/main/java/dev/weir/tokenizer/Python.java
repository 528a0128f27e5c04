package dev.weir.tokenizer;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What Python does with the values of a template. A value is a {@link MarkedText} (a str), a {@link Boolean}, a {@link Long}
 * (an int), a {@link List} (a list or a tuple), a {@link Map} (a dict, in order), a {@link Namespace}, a {@link
 * JinjaFunction}, {@link None} or {@link Undefined}. A {@link Decimal} (a float), which comes from the JSON of a tool, is only
 * carried and written: no chat template calculates with one.
 */
final class Python {
    /** Items that a list may have; a template that makes more is broken. */
    private static final int MAX_ITEMS = 100_000;

    private Python() {}

    enum None {
        NONE
    }

    /** A number with decimals. */
    record Decimal(double value) {
        /** As Python's {@code repr} writes it. */
        @Override
        public String toString() {
            if (Double.isInfinite(value)) {
                return value < 0 ? "-Infinity" : "Infinity";
            }
            double size = Math.abs(value);
            if (size == 0 || (size >= 1e-4 && size < 1e16)) {
                String plain = new BigDecimal(Double.toString(value)).toPlainString();
                return plain.contains(".") ? plain : plain + ".0";
            }
            String[] parts = Double.toString(value).split("E", 2);
            int exponent = Integer.parseInt(parts[1]);
            String digits = parts[0].endsWith(".0") ? parts[0].substring(0, parts[0].length() - 2) : parts[0];
            return digits + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
        }
    }

    /** What is not there: it prints as nothing, is false and has no items, but using it otherwise is an error. */
    record Undefined(String complaint) {}

    /** An object whose attributes templates can set. Owned by one rendering. */
    record Namespace(Map<String, Object> attributes) {}

    /** What a value is, with its article. */
    static String typeName(Object value) {
        return switch (value) {
            case Boolean _ -> "a bool";
            case Long _ -> "an int";
            case Decimal _ -> "a float";
            case MarkedText _ -> "a str";
            case List<?> _ -> "a list";
            case Map<?, ?> _ -> "a dict";
            case Namespace _ -> "a namespace";
            case JinjaFunction _ -> "a function";
            case None _ -> "None";
            default -> "an undefined value";
        };
    }

    static boolean isTrue(Object value) {
        return switch (value) {
            case Boolean bool -> bool;
            case Long number -> number != 0;
            case Decimal number -> number.value() != 0;
            case MarkedText text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> dict -> !dict.isEmpty();
            case None _, Undefined _ -> false;
            default -> true;
        };
    }

    /** What {@code str()} gives. Lists and dicts, which templates print only by mistake, are refused. */
    static MarkedText str(Object value) {
        return switch (value) {
            case MarkedText text -> text;
            case Boolean bool -> MarkedText.trusted(bool ? "True" : "False");
            case Long number -> MarkedText.trusted(number.toString());
            case Decimal number -> MarkedText.trusted(number.toString());
            case None _ -> MarkedText.trusted("None");
            case Undefined _ -> MarkedText.EMPTY;
            default -> throw new JinjaError(typeName(value) + " cannot be written out; tojson writes lists and dicts");
        };
    }

    static boolean isEqual(Object left, Object right) {
        if (left instanceof Undefined) {
            return right instanceof Undefined;
        }
        Long number = number(left);
        return number != null ? number.equals(number(right)) : left.equals(right);
    }

    static int compare(Object left, Object right) {
        if (left instanceof MarkedText a && right instanceof MarkedText b) {
            return a.toString().compareTo(b.toString());
        }
        Long a = number(left);
        Long b = number(right);
        if (a == null || b == null) {
            throw unsupported("be ordered", left, right);
        }
        return a.compareTo(b);
    }

    static boolean contains(Object container, Object item) {
        return switch (container) {
            case MarkedText text
            when item instanceof MarkedText part -> text.toString().contains(part.toString());
            case List<?> list -> list.stream().anyMatch(member -> isEqual(member, item));
            case Map<?, ?> dict -> dict.containsKey(item);
            case Undefined _ -> false;
            default ->
                throw new JinjaError("\"in\" does not look for " + typeName(item) + " in " + typeName(container));
        };
    }

    /** A new list of what a loop over a value goes through. */
    static List<Object> items(Object value) {
        return switch (value) {
            case List<?> list -> new ArrayList<>(list);
            case Map<?, ?> dict -> new ArrayList<>(dict.keySet());
            case MarkedText text -> PythonText.characters(text);
            case Undefined _ -> new ArrayList<>();
            default -> throw new JinjaError(typeName(value) + " has no items to go through");
        };
    }

    static long length(Object value) {
        return switch (value) {
            case List<?> list -> list.size();
            case Map<?, ?> dict -> dict.size();
            case MarkedText text -> text.toString().codePointCount(0, text.length());
            case Undefined _ -> 0;
            default -> throw new JinjaError(typeName(value) + " has no length");
        };
    }

    /** {@code base.name}: a method if there is one, otherwise an item. */
    static Object attribute(Object base, String name) {
        Object found = method(base, name);
        if (found == null && base instanceof Map<?, ?> dict) {
            found = dict.get(MarkedText.trusted(name));
        }
        return found != null ? found : missing(base, name);
    }

    /** {@code base[key]}: an item if there is one, otherwise a method. */
    static Object item(Object base, Object key) {
        Object found = null;
        if (base instanceof Map<?, ?> dict) {
            found = dict.get(key);
        } else if (key instanceof Long index && (base instanceof List || base instanceof MarkedText)) {
            long size = length(base);
            long place = index < 0 ? index + size : index;
            if (place >= 0 && place < size) {
                found = base instanceof List<?> list
                        ? list.get((int) place)
                        : PythonText.part((MarkedText) base, place, place + 1);
            }
        }
        if (found == null && key instanceof MarkedText name) {
            found = method(base, name.toString());
        }
        return found != null ? found : missing(base, str(key).toString());
    }

    private static @Nullable Object method(Object base, String name) {
        return switch (base) {
            case MarkedText text -> PythonText.method(text, name);
            case Map<?, ?> dict -> method(dict, name);
            case Namespace namespace -> namespace.attributes().get(name);
            default -> null;
        };
    }

    private static @Nullable JinjaFunction method(Map<?, ?> dict, String name) {
        return switch (name) {
            case "get" ->
                JinjaFunction.of("get(key, default)", a -> {
                    Object found = dict.get(a.get(0));
                    return found != null ? found : a.get(1, None.NONE);
                });
            case "items" -> JinjaFunction.of("items()", _ -> pairs(dict));
            case "keys" -> JinjaFunction.of("keys()", _ -> items(dict));
            case "values" -> JinjaFunction.of("values()", _ -> new ArrayList<Object>(dict.values()));
            default -> null;
        };
    }

    static List<Object> pairs(Map<?, ?> dict) {
        List<Object> pairs = new ArrayList<>();
        dict.forEach((key, value) -> pairs.add(List.<Object>of(key, value)));
        return pairs;
    }

    private static Undefined missing(Object base, String name) {
        if (base instanceof Undefined(String complaint)) {
            throw new JinjaError(complaint);
        }
        return new Undefined(typeName(base) + " has no \"" + name + "\"");
    }

    /** {@code base[start:stop:step]}, where null stands for what is left out. */
    static Object slice(Object base, @Nullable Object start, @Nullable Object stop, @Nullable Object step) {
        if (!(base instanceof List) && !(base instanceof MarkedText)) {
            throw unsupported("be sliced", base, base);
        }
        long size = length(base);
        long by = step == null || step instanceof None ? 1 : Math.clamp(integer(step), -size - 1, size + 1);
        if (by == 0) {
            throw new JinjaError("a slice has the step 0");
        }
        // one that goes backwards may begin at the last item and end before the first
        long first = by > 0 ? Math.max(bound(start, 0, size), 0) : Math.min(bound(start, size - 1, size), size - 1);
        long end = by > 0 ? Math.min(bound(stop, size, size), size) : bound(stop, -1, size);
        if (base instanceof MarkedText text && by == 1) {
            return first < end ? PythonText.part(text, first, end) : MarkedText.EMPTY;
        }
        List<Object> items = items(base);
        List<Object> slice = new ArrayList<>();
        for (long i = first; by > 0 ? i < end : i > end; i += by) {
            slice.add(items.get((int) i));
        }
        return base instanceof MarkedText ? PythonText.join(MarkedText.EMPTY, slice) : slice;
    }

    /** A place that a slice names, counted from the end if it is below 0. */
    private static long bound(@Nullable Object value, long otherwise, long size) {
        if (value == null || value instanceof None) {
            return otherwise;
        }
        long place = integer(value);
        return place < 0 ? Math.max(place + size, -1) : place;
    }

    private static long integer(Object value) {
        if (value instanceof Long number) {
            return number;
        }
        throw new JinjaError("a slice needs ints, not " + typeName(value));
    }

    static Object add(Object left, Object right) {
        if (left instanceof MarkedText a && right instanceof MarkedText b) {
            return a.plus(b);
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            List<Object> both = items(a);
            both.addAll(b);
            return limited(both);
        }
        return arithmetic("be added", left, right, Math::addExact);
    }

    static Object subtract(Object left, Object right) {
        return arithmetic("be subtracted", left, right, Math::subtractExact);
    }

    static Object multiply(Object left, Object right) {
        if (left instanceof MarkedText text && right instanceof Long count) {
            MarkedText.Builder out = new MarkedText.Builder();
            for (long i = 0; i < count && !text.isEmpty(); i++) {
                out.append(text);
            }
            return out.build();
        }
        return arithmetic("be multiplied", left, right, Math::multiplyExact);
    }

    static Object floorDivide(Object left, Object right) {
        return arithmetic("be divided", left, right, Math::floorDiv);
    }

    static Object modulo(Object left, Object right) {
        return arithmetic("be divided", left, right, Math::floorMod);
    }

    private interface Operator {
        long apply(long left, long right);
    }

    private static Object arithmetic(String what, Object left, Object right, Operator operator) {
        Long a = number(left);
        Long b = number(right);
        if (a == null || b == null) {
            throw unsupported(what, left, right);
        }
        try {
            return operator.apply(a, b);
        } catch (ArithmeticException e) {
            throw new JinjaError(a + " and " + b + " cannot " + what);
        }
    }

    /** The number that a value counts as, or null. */
    private static @Nullable Long number(Object value) {
        return switch (value) {
            case Boolean bool -> bool ? 1L : 0L;
            case Long number -> number;
            default -> null;
        };
    }

    private static JinjaError unsupported(String what, Object left, Object right) {
        for (Object value : List.of(left, right)) {
            if (value instanceof Undefined(String complaint)) {
                return new JinjaError(complaint);
            }
        }
        return new JinjaError(typeName(left) + " and " + typeName(right) + " cannot " + what);
    }

    static List<Object> limited(List<Object> list) {
        if (list.size() > MAX_ITEMS) {
            throw new JinjaError("a list has more than " + MAX_ITEMS + " items");
        }
        return list;
    }
}
