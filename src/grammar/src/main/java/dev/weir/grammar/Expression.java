package dev.weir.grammar;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * A set of byte strings: what may still come. Two that look alike are one and the same while their {@link Expressions} remember
 * them. Immutable but for what it remembers of itself, which the thread of its {@link Expressions} owns.
 */
final class Expression {
    /** How it is put together. */
    sealed interface Form {}

    /** No string at all. */
    record Nothing() implements Form {}

    /** The empty string alone. */
    record Empty() implements Form {}

    /** One byte of a set, whose four words have a bit each for 64 bytes. */
    record OneOf(long a, long b, long c, long d) implements Form {
        boolean has(int value) {
            long word = switch (value >>> 6) {
                case 0 -> a;
                case 1 -> b;
                case 2 -> c;
                default -> d;
            };
            return (word >>> value & 1) != 0;
        }

        OneOf or(OneOf other) {
            return new OneOf(a | other.a, b | other.b, c | other.c, d | other.d);
        }
    }

    /** One, then another. */
    record Sequence(Expression first, Expression then) implements Form {}

    /** One of several, in order of their numbers. */
    record Choice(java.util.List<Expression> options) implements Form {}

    /** The same from {@code min} to {@code max} times. */
    record Repeat(Expression inner, int min, int max) implements Form {}

    /** What a name stands for: at least one byte. */
    record Reference(String name) implements Form {}

    final Form form;
    /** Ascending in order of creation. */
    final int number;
    /** Whether the empty string is among them. */
    final boolean acceptsEmpty;

    /** What is left after each byte, as far as it was asked for. */
    @Nullable
    Expression @Nullable [] after;

    /** The tokens that may come next, once they were asked for. */
    @Nullable
    BitSet tokens;

    Expression(Form form, int number, boolean acceptsEmpty) {
        this.form = form;
        this.number = number;
        this.acceptsEmpty = acceptsEmpty;
    }

    boolean isNothing() {
        return form instanceof Nothing;
    }
}
