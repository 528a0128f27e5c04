package dev.weir.grammar;

import dev.weir.grammar.Expression.Choice;
import dev.weir.grammar.Expression.Empty;
import dev.weir.grammar.Expression.Form;
import dev.weir.grammar.Expression.Nothing;
import dev.weir.grammar.Expression.OneOf;
import dev.weir.grammar.Expression.Reference;
import dev.weir.grammar.Expression.Repeat;
import dev.weir.grammar.Expression.Sequence;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Makes {@link Expression}s and says what is left of one after a byte, its derivative (Brzozowski, 1964). Names make it more
 * than regular: what follows a nested value is kept in the sequence behind it, as on a stack.
 *
 * <p>Owned by one thread at a time. What it remembers is bounded: beyond {@value #MOST_REMEMBERED} expressions it forgets all and
 * begins again, which costs time and changes no answer.
 */
final class Expressions {
    static final int UNLIMITED = Integer.MAX_VALUE;
    private static final int MOST_REMEMBERED = 20_000;
    private static final int BYTES = 256;

    private final Map<Form, Expression> known = new HashMap<>();
    private final Map<String, Expression> definitions = new HashMap<>();
    private int created;

    final Expression nothing = remember(new Nothing(), false);
    final Expression empty = remember(new Empty(), true);

    private Expression remember(Form form, boolean acceptsEmpty) {
        Expression existing = known.get(form);
        if (existing != null) {
            return existing;
        }
        Expression made = new Expression(form, created++, acceptsEmpty);
        known.put(form, made);
        return made;
    }

    /** Says what a name stands for. It must not accept the empty string, nor begin with its own name. */
    void define(String name, Expression meaning) {
        if (meaning.acceptsEmpty) {
            throw new IllegalArgumentException(name + " may be empty");
        }
        definitions.put(name, meaning);
    }

    Expression reference(String name) {
        return remember(new Reference(name), false);
    }

    /** One byte from {@code from} to {@code to}, both included. */
    Expression range(int from, int to) {
        long[] words = new long[4];
        for (int value = from; value <= to; value++) {
            words[value >>> 6] |= 1L << value;
        }
        return from > to ? nothing : oneOf(new OneOf(words[0], words[1], words[2], words[3]));
    }

    private Expression oneOf(OneOf set) {
        return remember(set, false);
    }

    /** Just this text, in UTF-8. */
    Expression text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        Expression all = empty;
        for (int i = bytes.length - 1; i >= 0; i--) {
            all = sequence(range(bytes[i] & 0xff, bytes[i] & 0xff), all);
        }
        return all;
    }

    Expression sequence(Expression... parts) {
        Expression all = empty;
        for (int i = parts.length - 1; i >= 0; i--) {
            all = sequence(parts[i], all);
        }
        return all;
    }

    private Expression sequence(Expression first, Expression then) {
        if (first.isNothing() || then.isNothing()) {
            return nothing;
        }
        if (first == empty) {
            return then;
        }
        if (then == empty) {
            return first;
        }
        if (first.form instanceof Sequence(Expression head, Expression tail)) {
            return sequence(head, sequence(tail, then));
        }
        return remember(new Sequence(first, then), first.acceptsEmpty && then.acceptsEmpty);
    }

    Expression choice(Expression... options) {
        return choice(List.of(options));
    }

    Expression choice(Collection<Expression> options) {
        TreeMap<Integer, Expression> distinct = new TreeMap<>();
        OneOf bytes = new OneOf(0, 0, 0, 0);
        List<Expression> open = new ArrayList<>(options);
        while (!open.isEmpty()) {
            Expression option = open.removeLast();
            switch (option.form) {
                case Choice(List<Expression> nested) -> open.addAll(nested);
                case OneOf set -> bytes = bytes.or(set);
                case Nothing _ -> {}
                default -> distinct.put(option.number, option);
            }
        }
        if (!bytes.equals(new OneOf(0, 0, 0, 0))) {
            Expression set = oneOf(bytes);
            distinct.put(set.number, set);
        }
        if (distinct.isEmpty()) {
            return nothing;
        }
        if (distinct.size() == 1) {
            return distinct.firstEntry().getValue();
        }
        List<Expression> ordered = List.copyOf(distinct.values());
        return remember(new Choice(ordered), ordered.stream().anyMatch(option -> option.acceptsEmpty));
    }

    Expression optional(Expression inner) {
        return choice(empty, inner);
    }

    /** The same from {@code min} to {@code max} times, which may be {@link #UNLIMITED}. */
    Expression repeat(Expression inner, int min, int max) {
        int least = inner.acceptsEmpty ? 0 : min;
        if (max == 0 || inner == empty) {
            return empty;
        }
        if (inner.isNothing()) {
            return least == 0 ? empty : nothing;
        }
        if (least == 1 && max == 1) {
            return inner;
        }
        return remember(new Repeat(inner, least, max), least == 0);
    }

    /** What may follow once this byte has come; nothing if it must not come. */
    Expression after(Expression expression, int value) {
        @Nullable Expression[] after = expression.after;
        if (after == null) {
            if (known.size() > MOST_REMEMBERED) {
                forget();
            }
            after = new Expression[BYTES];
            expression.after = after;
        }
        Expression left = after[value];
        if (left == null) {
            left = derivative(expression, value);
            after[value] = left;
        }
        return left;
    }

    private Expression derivative(Expression expression, int value) {
        return switch (expression.form) {
            case Nothing _, Empty _ -> nothing;
            case OneOf set -> set.has(value) ? empty : nothing;
            case Sequence(Expression first, Expression then) -> {
                Expression goesOn = sequence(after(first, value), then);
                yield first.acceptsEmpty ? choice(goesOn, after(then, value)) : goesOn;
            }
            case Choice(List<Expression> options) ->
                choice(options.stream().map(option -> after(option, value)).toList());
            case Repeat(Expression inner, int min, int max) -> {
                Expression rest = repeat(inner, Math.max(0, min - 1), max == UNLIMITED ? UNLIMITED : max - 1);
                yield sequence(after(inner, value), rest);
            }
            case Reference(String name) -> after(Objects.requireNonNull(definitions.get(name), name), value);
        };
    }

    /** Forgets all but the names. Expressions that are still in use stay right; they are only no longer recognised. */
    private void forget() {
        known.values().forEach(expression -> {
            expression.after = null;
            expression.tokens = null;
        });
        known.clear();
        known.put(nothing.form, nothing);
        known.put(empty.form, empty);
    }
}
