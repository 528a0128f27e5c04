package dev.weir.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * JSON's texts (RFC 8259) as expressions: strings, numbers and values of any kind, written on one line. Owned by the thread of
 * its {@link Expressions}.
 */
final class JsonText implements Spelling {
    /** The name of any value at all. */
    private static final String VALUE = "any value";

    private static final String OBJECT = "any object";
    /** More digits than a double keeps would say nothing, and a model must come to an end. */
    private static final int MOST_DIGITS = 15;

    private static final CodePoints PLAIN = CodePoints.of(' ', CodePoints.LAST)
            .and(CodePoints.of('"').or(CodePoints.of('\\')).not());
    private static final Map<Integer, String> SHORT_ESCAPES = Map.of(
            (int) '"', "\\\"",
            (int) '\\', "\\\\",
            (int) '\b', "\\b",
            (int) '\f', "\\f",
            (int) '\n', "\\n",
            (int) '\r', "\\r",
            (int) '\t', "\\t");

    private final Expressions make;
    private final Spelling plain;
    private final Expression anyCharacter;
    /** Between members and after colons. */
    private final Expression gap;

    JsonText(Expressions make) {
        this.make = make;
        plain = Spelling.plain(make);
        anyCharacter = of(CodePoints.ANY);
        gap = make.optional(make.text(" "));
        make.define(VALUE, value());
        make.define(OBJECT, object(make.reference(VALUE), 0, Expressions.UNLIMITED));
    }

    private Expression value() {
        Expression nested = make.reference(VALUE);
        return make.choice(
                object(nested, 0, Expressions.UNLIMITED),
                array(nested, 0, Expressions.UNLIMITED),
                string(0, Expressions.UNLIMITED),
                number(),
                make.text("true"),
                make.text("false"),
                make.text("null"));
    }

    Expression anyValue() {
        return make.reference(VALUE);
    }

    Expression anyObject() {
        return make.reference(OBJECT);
    }

    /** One character inside a string, escaped where JSON demands it. */
    @Override
    public Expression of(CodePoints set) {
        List<Expression> options = new ArrayList<>();
        options.add(plain.of(set.and(PLAIN)));
        for (CodePoints.Range range : set.and(PLAIN.not()).ranges()) {
            for (int c = range.from(); c <= range.to(); c++) {
                String escape = SHORT_ESCAPES.get(c);
                options.add(make.text(escape == null ? "\\u%04x".formatted(c) : escape));
            }
        }
        return make.choice(options);
    }

    /** A string of so many code points, written as they are but for those that must be escaped. */
    Expression string(int min, int max) {
        return quoted(make.repeat(anyCharacter, min, max));
    }

    Expression quoted(Expression inside) {
        return make.sequence(make.text("\""), inside, make.text("\""));
    }

    Expression number() {
        Expression exponent = make.sequence(make.choice(make.text("e"), make.text("E")), sign(), digits(1, 2));
        return make.sequence(
                integer(),
                make.optional(make.sequence(make.text("."), digits(1, MOST_DIGITS))),
                make.optional(exponent));
    }

    private Expression sign() {
        return make.optional(make.choice(make.text("+"), make.text("-")));
    }

    private Expression digits(int min, int max) {
        return make.repeat(make.range('0', '9'), min, max);
    }

    Expression integer() {
        Expression absolute =
                make.choice(make.text("0"), make.sequence(make.range('1', '9'), digits(0, MOST_DIGITS - 1)));
        return make.sequence(make.optional(make.text("-")), absolute);
    }

    /** An array of so many items of one kind. */
    Expression array(Expression item, int min, int max) {
        return make.sequence(make.text("["), items(item, min, max), make.text("]"));
    }

    private Expression items(Expression item, int min, int max) {
        if (max == 0) {
            return make.empty;
        }
        int more = max == Expressions.UNLIMITED ? max : max - 1;
        Expression some = make.sequence(item, make.repeat(make.sequence(comma(), item), Math.max(0, min - 1), more));
        return min == 0 ? make.optional(some) : some;
    }

    /** An object of so many members with values of one kind and any names. A name may come twice: JSON leaves that open. */
    Expression object(Expression value, int min, int max) {
        Expression member = make.sequence(string(0, Expressions.UNLIMITED), colon(), value);
        return make.sequence(make.text("{"), items(member, min, max), make.text("}"));
    }

    /** A member of a name, already written as a JSON string. */
    Expression member(String quotedName, Expression value) {
        return make.sequence(make.text(quotedName), colon(), value);
    }

    Expression comma() {
        return make.sequence(make.text(","), gap);
    }

    private Expression colon() {
        return make.sequence(make.text(":"), gap);
    }
}
