package dev.weir.grammar;

import dev.weir.protocol.JsonSchema;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Calls of functions as a model writes them. Owned by the thread of its {@link Expressions}. */
final class CallExpression {
    private static final String TEXT = "text ";
    private static final int BYTES = 256;

    private final Expressions make;
    private final JsonText json;
    private final CallForm form;

    CallExpression(Expressions make, CallForm form) {
        this.make = make;
        this.form = form;
        json = new JsonText(make);
    }

    /** Nothing but calls: one, or with {@code several} at least one. */
    Expression calls(Map<String, JsonSchema.Document> functions, boolean several) {
        return callsFrom(0, functions, several);
    }

    /** Any text, which may end with calls: with one, or with {@code several} also with more. */
    Expression textThenCalls(Map<String, JsonSchema.Document> functions, boolean several) {
        String marker = form.open().stripTrailing();
        defineText(marker.getBytes(StandardCharsets.UTF_8), callsFrom(marker.length(), functions, several));
        return textAfter(0);
    }

    /** Calls, the first of them from so many characters of what opens it on. */
    private Expression callsFrom(int begin, Map<String, JsonSchema.Document> functions, boolean several) {
        Expression call = call(functions);
        Expression first = make.sequence(make.text(form.open().substring(begin)), call);
        Expression next = make.sequence(make.text(form.between() + form.open()), call);
        return several ? make.sequence(first, make.repeat(next, 0, Expressions.UNLIMITED)) : first;
    }

    /** A call from behind what opens it. */
    private Expression call(Map<String, JsonSchema.Document> functions) {
        List<Expression> calls = new ArrayList<>();
        functions.forEach((name, arguments) -> calls.add(make.sequence(
                json.member("\"name\"", make.text('"' + name + '"')),
                json.comma(),
                json.member("\"arguments\"", arguments(name, arguments)))));
        return make.sequence(make.text("{"), make.choice(calls), make.text("}" + form.close()));
    }

    private Expression arguments(String function, JsonSchema.Document schema) {
        try {
            return new SchemaExpression(make, function).of(schema);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("the parameters of \"" + function + "\": " + e.getMessage(), e);
        }
    }

    /** Text in which so many bytes of the marker stand last. */
    private Expression textAfter(int matched) {
        return make.optional(make.reference(TEXT + matched));
    }

    /** Text as an automaton that counts how much of the marker stands last; {@code then} follows all of it. */
    private void defineText(byte[] marker, Expression then) {
        for (int matched = 0; matched < marker.length; matched++) {
            Map<Integer, List<Expression>> byNext = new HashMap<>();
            for (int value = 0; value < BYTES; value++) {
                byNext.computeIfAbsent(matchedAfter(marker, matched, value), _ -> new ArrayList<>())
                        .add(make.range(value, value));
            }
            List<Expression> options = new ArrayList<>();
            byNext.forEach((next, values) ->
                    options.add(make.sequence(make.choice(values), next == marker.length ? then : textAfter(next))));
            make.define(TEXT + matched, make.choice(options));
        }
    }

    /** How many of the marker's bytes stand last once another byte follows those that stood there. */
    private static int matchedAfter(byte[] marker, int matched, int value) {
        byte[] text = Arrays.copyOf(marker, matched + 1);
        text[matched] = (byte) value;
        int length = matched + 1;
        while (!Arrays.equals(marker, 0, length, text, text.length - length, text.length)) {
            length--;
        }
        return length;
    }
}
