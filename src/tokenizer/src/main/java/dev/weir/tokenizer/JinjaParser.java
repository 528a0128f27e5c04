package dev.weir.tokenizer;

import dev.weir.tokenizer.JinjaFunction.Arguments;
import dev.weir.tokenizer.JinjaLexer.Kind;
import dev.weir.tokenizer.JinjaLexer.Token;
import dev.weir.tokenizer.JinjaStatement.Flow;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the Jinja of chat templates: text, {@code {{ expression }}}, {@code if}, {@code for} with its {@code break} and
 * {@code continue}, {@code set}, {@code macro} and {@code generation}. Anything else is refused. Owned by one call.
 *
 * <p>A statement becomes a function of the variables and the output; there is no other form of a template. Values from outside
 * are only ever values: nothing reads a template out of them.
 */
final class JinjaParser {
    private final JinjaTokens tokens;
    private final JinjaExpressions expressions;
    private int loops; // that the current statement is in

    private JinjaParser(String source) {
        tokens = new JinjaTokens(JinjaLexer.tokens(source));
        expressions = new JinjaExpressions(tokens);
    }

    /**
     * Reads a template.
     *
     * @throws JinjaError naming the line of a syntax error
     */
    static JinjaStatement parse(String source) {
        return new JinjaParser(source).body(0, "");
    }

    /** Statements up to a tag of one of some names, which is left to be read; or, if the line is 0, up to the end. */
    private JinjaStatement body(int line, String opening, String... ends) {
        List<JinjaStatement> statements = new ArrayList<>();
        while (true) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> {
                    MarkedText text = MarkedText.trusted(token.text());
                    statements.add((_, out) -> {
                        out.append(text);
                        return Flow.NEXT;
                    });
                }
                case PRINT_OPEN -> {
                    JinjaExpression expression = expressions.tuple(true);
                    tokens.expect(Kind.PRINT_CLOSE, "\"}}\"");
                    statements.add(inLine(token.line(), (scope, out) -> {
                        out.append(Python.str(expression.value(scope)));
                        return Flow.NEXT;
                    }));
                }
                case TAG_OPEN -> {
                    if (List.of(ends).contains(tokens.peek().text())) {
                        return JinjaStatement.block(List.copyOf(statements));
                    }
                    statements.add(inLine(token.line(), tag(tokens.expect(Kind.NAME, "a tag's name"))));
                }
                default -> {
                    if (line > 0) {
                        throw new JinjaError(
                                line,
                                "\"" + opening + "\" is not closed: \"" + ends[ends.length - 1] + "\" is missing");
                    }
                    return JinjaStatement.block(List.copyOf(statements));
                }
            }
        }
    }

    /** A body whose only end is a tag, which is read too. */
    private JinjaStatement bodyOf(Token tag, String end) {
        JinjaStatement body = body(tag.line(), tag.text(), end);
        tokens.expectName(end);
        closeTag();
        return body;
    }

    private static JinjaStatement inLine(int line, JinjaStatement statement) {
        return (scope, out) -> {
            try {
                return statement.run(scope, out);
            } catch (JinjaError e) {
                throw e.inLine(line);
            }
        };
    }

    private JinjaStatement tag(Token name) {
        return switch (name.text()) {
            case "if" -> choice(name);
            case "for" -> loop(name);
            case "set" -> assignment(name);
            case "macro" -> macro(name);
            case "generation" -> {
                closeTag();
                JinjaStatement body = bodyOf(name, "endgeneration");
                yield (scope, out) -> body.run(scope.inner(), out);
            }
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new JinjaError(name.line(), name + " is not in a loop");
                }
                closeTag();
                Flow flow = name.text().equals("break") ? Flow.BREAK : Flow.CONTINUE;
                yield (_, _) -> flow;
            }
            default -> throw new JinjaError(name.line(), "the tag " + name + " is not known here");
        };
    }

    private void closeTag() {
        tokens.expect(Kind.TAG_CLOSE, "\"%}\"");
    }

    private JinjaStatement choice(Token tag) {
        JinjaExpression condition = expressions.tuple(true);
        closeTag();
        JinjaStatement then = body(tag.line(), tag.text(), "elif", "else", "endif");
        Token end = tokens.next();
        JinjaStatement otherwise;
        if (end.text().equals("elif")) {
            otherwise = inLine(end.line(), choice(end));
        } else if (end.text().equals("else")) {
            closeTag();
            otherwise = bodyOf(tag, "endif");
        } else {
            closeTag();
            otherwise = JinjaStatement.block(List.of());
        }
        return (scope, out) -> (Python.isTrue(condition.value(scope)) ? then : otherwise).run(scope, out);
    }

    private JinjaStatement loop(Token tag) {
        List<String> targets = targets();
        tokens.expectName("in");
        JinjaExpression iterable = expressions.tuple(false);
        JinjaExpression condition = tokens.skipName("if") ? expressions.condition() : null;
        closeTag();
        loops++;
        JinjaStatement body = body(tag.line(), tag.text(), "else", "endfor");
        loops--;
        boolean hasElse = tokens.next().text().equals("else");
        closeTag();
        JinjaStatement otherwise = hasElse ? bodyOf(tag, "endfor") : JinjaStatement.block(List.of());
        return (scope, out) -> {
            List<Object> items = Python.items(iterable.value(scope));
            if (condition != null) {
                items.removeIf(item -> {
                    JinjaScope trial = scope.inner();
                    assign(targets, item, trial);
                    return !Python.isTrue(condition.value(trial));
                });
            }
            if (items.isEmpty()) {
                return otherwise.run(scope.inner(), out);
            }
            for (int i = 0; i < items.size(); i++) {
                JinjaScope inner = scope.inner();
                inner.set("loop", loopVariable(items, i));
                assign(targets, items.get(i), inner);
                if (body.run(inner, out) == Flow.BREAK) {
                    break;
                }
            }
            return Flow.NEXT;
        };
    }

    private static Python.Namespace loopVariable(List<Object> items, int at) {
        Map<String, Object> loop = new HashMap<>();
        long size = items.size();
        loop.put("index", at + 1L);
        loop.put("index0", (long) at);
        loop.put("revindex", size - at);
        loop.put("revindex0", size - at - 1);
        loop.put("length", size);
        loop.put("first", at == 0);
        loop.put("last", at == size - 1);
        if (at > 0) {
            loop.put("previtem", items.get(at - 1));
        }
        if (at < size - 1) {
            loop.put("nextitem", items.get(at + 1));
        }
        return new Python.Namespace(loop);
    }

    /** The names that a loop or an assignment sets. */
    private List<String> targets() {
        List<String> names = new ArrayList<>();
        boolean isInParentheses = tokens.skipOperator("(");
        do {
            names.add(tokens.expect(Kind.NAME, "a variable's name").text());
        } while (tokens.skipOperator(","));
        if (isInParentheses) {
            tokens.expectOperator(")");
        }
        return names;
    }

    private static void assign(List<String> targets, Object value, JinjaScope scope) {
        if (targets.size() == 1) {
            scope.set(targets.getFirst(), value);
            return;
        }
        List<Object> items = Python.items(value);
        if (items.size() != targets.size()) {
            throw new JinjaError(items.size() + " values cannot be given to " + targets.size() + " variables");
        }
        for (int i = 0; i < items.size(); i++) {
            scope.set(targets.get(i), items.get(i));
        }
    }

    private JinjaStatement assignment(Token tag) {
        if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, ".")) {
            return attributeAssignment();
        }
        List<String> targets = targets();
        if (tokens.skipOperator("=")) {
            JinjaExpression value = expressions.tuple(true);
            closeTag();
            return (scope, _) -> {
                assign(targets, value.value(scope), scope);
                return Flow.NEXT;
            };
        }
        closeTag();
        JinjaStatement body = bodyOf(tag, "endset");
        return (scope, _) -> {
            MarkedText.Builder written = new MarkedText.Builder();
            Flow flow = body.run(scope.inner(), written);
            assign(targets, written.build(), scope);
            return flow;
        };
    }

    private JinjaStatement attributeAssignment() {
        String name = tokens.next().text();
        tokens.next();
        String attribute = tokens.expect(Kind.NAME, "an attribute's name").text();
        tokens.expectOperator("=");
        JinjaExpression value = expressions.tuple(true);
        closeTag();
        return (scope, _) -> {
            if (!(scope.get(name) instanceof Python.Namespace namespace)) {
                throw new JinjaError("\"" + name + "\" is no namespace, so its attributes cannot be set");
            }
            namespace.attributes().put(attribute, value.value(scope));
            return Flow.NEXT;
        };
    }

    private JinjaStatement macro(Token tag) {
        String name = tokens.expect(Kind.NAME, "the macro's name").text();
        List<String> parameters = new ArrayList<>();
        List<JinjaExpression> defaults = new ArrayList<>();
        tokens.expectOperator("(");
        while (!tokens.skipOperator(")")) {
            String parameter = tokens.expect(Kind.NAME, "a parameter's name").text();
            parameters.add(parameter);
            defaults.add(
                    tokens.skipOperator("=")
                            ? expressions.condition()
                            : _ -> new Python.Undefined("the parameter \"" + parameter + "\" was not given"));
            if (!tokens.isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        closeTag();
        int outerLoops = loops;
        loops = 0;
        JinjaStatement body = bodyOf(tag, "endmacro");
        loops = outerLoops;
        return (scope, _) -> {
            scope.set(name, (JinjaFunction) (positional, named) -> {
                Arguments arguments = Arguments.bind(name, parameters, positional, named);
                JinjaScope inner = scope.inner();
                for (int i = 0; i < parameters.size(); i++) {
                    inner.set(
                            parameters.get(i),
                            arguments.has(i)
                                    ? arguments.get(i)
                                    : defaults.get(i).value(inner));
                }
                MarkedText.Builder out = new MarkedText.Builder();
                body.run(inner, out);
                return out.build();
            });
            return Flow.NEXT;
        };
    }
}
