package dev.weir.corpus;

import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;

/**
 * One use of a function: how it is declared this time, what it is called with and what it gives back. Immutable; any thread.
 *
 * @param fields what the fields of the result are called
 * @param result what it gives back, as JSON
 */
record ToolUse(ToolKind kind, ToolFunction function, List<String> fields, String arguments, String result) {

    /** Draws a declaration and values, which the scribe keeps for the sentences about them. */
    static ToolUse draw(Scribe scribe, ToolKind kind) {
        CorpusRandom random = scribe.random();
        drawValues(scribe, kind);
        List<ToolFunction.Parameter> parameters = new ArrayList<>();
        for (ToolKind.Argument argument : kind.arguments()) {
            boolean isChoice = argument.type().equals("enum");
            String description = scribe.write(argument.description());
            parameters.add(new ToolFunction.Parameter(
                    random.of(argument.names()),
                    argument.type(),
                    isChoice ? "" : description,
                    isChoice ? List.of(description.split(",", -1)) : List.of()));
        }
        List<String> fields =
                kind.results().stream().map(result -> random.of(result.names())).toList();
        ToolFunction function =
                new ToolFunction(random.of(kind.names()), scribe.write(kind.about()), List.copyOf(parameters));
        return use(scribe, kind, function, fields);
    }

    /** Another use of the same declaration, with new values. */
    static ToolUse again(Scribe scribe, ToolUse former) {
        drawValues(scribe, former.kind);
        return use(scribe, former.kind, former.function, former.fields);
    }

    private static ToolUse use(Scribe scribe, ToolKind kind, ToolFunction function, List<String> fields) {
        List<String> names =
                function.parameters().stream().map(ToolFunction.Parameter::name).toList();
        List<String> returned = new ArrayList<>();
        for (int i = 0; i < fields.size(); i++) {
            ToolKind.Result result = kind.results().get(i);
            returned.add(field(fields.get(i), result.type(), scribe.write(result.value())));
        }
        return new ToolUse(
                kind, function, fields, arguments(scribe, kind, names), "{" + String.join(", ", returned) + "}");
    }

    private static void drawValues(Scribe scribe, ToolKind kind) {
        do {
            kind.values().forEach(value -> bind(scribe, value));
        } while (!scribe.side().admits("tool " + kind.name(), arguments(scribe, kind, firstNames(kind))));
    }

    private static List<String> firstNames(ToolKind kind) {
        return kind.arguments().stream()
                .map(argument -> argument.names().getFirst())
                .toList();
    }

    private static String arguments(Scribe scribe, ToolKind kind, List<String> names) {
        List<String> fields = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            ToolKind.Argument argument = kind.arguments().get(i);
            fields.add(field(names.get(i), argument.type(), scribe.write(argument.value())));
        }
        return "{" + String.join(", ", fields) + "}";
    }

    private static String field(String name, String type, String value) {
        boolean isBare = type.equals("integer") || type.equals("number") || type.equals("boolean");
        return "\"" + name + "\": " + (isBare ? value : TextNode.valueOf(value).toString());
    }

    private static void bind(Scribe scribe, ToolKind.Value value) {
        switch (value) {
            case ToolKind.Drawn drawn ->
                scribe.keep(
                        drawn.name(),
                        drawn.source().equals("defined-word")
                                ? defined(scribe)
                                : scribe.another().term(drawn.source()));
            case ToolKind.Computed computed -> {
                int one;
                int other;
                do {
                    one = scribe.number(computed.oneRange());
                    other = scribe.number(computed.otherRange());
                } while (computed.operator() != '*'
                        && (!scribe.side().admitsPair(one, other) || (computed.operator() == '-' && one <= other)));
                scribe.keep(computed.one(), one);
                scribe.keep(computed.other(), other);
                scribe.keep(
                        computed.name(),
                        switch (computed.operator()) {
                            case '+' -> one + other;
                            case '-' -> one - other;
                            default -> one * other;
                        });
            }
        }
    }

    /** A word of the dictionary; its meaning is kept beside it. */
    private static Term defined(Scribe scribe) {
        String[] entry = Prose.definition(scribe);
        scribe.keep("meaning", entry[1]);
        return new Text(entry[0]);
    }
}
