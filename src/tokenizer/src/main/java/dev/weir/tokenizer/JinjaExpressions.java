package dev.weir.tokenizer;

import dev.weir.tokenizer.JinjaLexer.Kind;
import dev.weir.tokenizer.JinjaLexer.Token;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/** Reads Jinja's expressions, from the loosest operators to the tightest. Owned by one call. */
final class JinjaExpressions {
    private static final Map<String, BinaryOperator<Object>> SUMS = Map.of("+", Python::add, "-", Python::subtract);
    private static final Map<String, BinaryOperator<Object>> JOINS =
            Map.of("~", (left, right) -> Python.str(left).plus(Python.str(right)));
    private static final Map<String, BinaryOperator<Object>> PRODUCTS =
            Map.of("*", Python::multiply, "//", Python::floorDivide, "%", Python::modulo);
    private static final Map<String, BinaryOperator<Object>> COMPARISONS = Map.of(
            "==", Python::isEqual,
            "!=", (left, right) -> !Python.isEqual(left, right),
            "<", (left, right) -> Python.compare(left, right) < 0,
            "<=", (left, right) -> Python.compare(left, right) <= 0,
            ">", (left, right) -> Python.compare(left, right) > 0,
            ">=", (left, right) -> Python.compare(left, right) >= 0);

    private final JinjaTokens tokens;

    JinjaExpressions(JinjaTokens tokens) {
        this.tokens = tokens;
    }

    private record Step(BinaryOperator<Object> operator, JinjaExpression right) {}

    private interface Level {
        JinjaExpression read();
    }

    /** One expression, or several with commas between them, which make a list. */
    JinjaExpression tuple(boolean withCondition) {
        JinjaExpression first = withCondition ? condition() : or();
        if (!tokens.isOperator(",")) {
            return first;
        }
        List<JinjaExpression> items = new ArrayList<>(List.of(first));
        while (tokens.skipOperator(",") && !isTupleEnd()) {
            items.add(withCondition ? condition() : or());
        }
        return list(items);
    }

    private boolean isTupleEnd() {
        Kind kind = tokens.peek().kind();
        return kind == Kind.PRINT_CLOSE || kind == Kind.TAG_CLOSE || tokens.isOperator(")");
    }

    /** One expression, which may be a choice: {@code a if b else c}. */
    JinjaExpression condition() {
        JinjaExpression expression = or();
        while (tokens.skipName("if")) {
            JinjaExpression then = expression;
            JinjaExpression condition = or();
            JinjaExpression otherwise = tokens.skipName("else")
                    ? condition()
                    : _ -> new Python.Undefined("an \"if\" without \"else\" chose nothing");
            expression = scope -> Python.isTrue(condition.value(scope)) ? then.value(scope) : otherwise.value(scope);
        }
        return expression;
    }

    private JinjaExpression or() {
        JinjaExpression left = and();
        while (tokens.skipName("or")) {
            JinjaExpression first = left;
            JinjaExpression second = and();
            left = scope -> {
                Object value = first.value(scope);
                return Python.isTrue(value) ? value : second.value(scope);
            };
        }
        return left;
    }

    private JinjaExpression and() {
        JinjaExpression left = not();
        while (tokens.skipName("and")) {
            JinjaExpression first = left;
            JinjaExpression second = not();
            left = scope -> {
                Object value = first.value(scope);
                return Python.isTrue(value) ? second.value(scope) : value;
            };
        }
        return left;
    }

    private JinjaExpression not() {
        if (tokens.skipName("not")) {
            JinjaExpression operand = not();
            return scope -> !Python.isTrue(operand.value(scope));
        }
        return comparison();
    }

    /** Comparisons, which hold together: {@code a < b < c} is true if both are. */
    private JinjaExpression comparison() {
        JinjaExpression left = sum();
        List<Step> steps = new ArrayList<>();
        BinaryOperator<Object> operator;
        while ((operator = comparisonOperator()) != null) {
            steps.add(new Step(operator, sum()));
        }
        if (steps.isEmpty()) {
            return left;
        }
        return scope -> {
            Object value = left.value(scope);
            for (Step step : steps) {
                Object right = step.right.value(scope);
                if (!Python.isTrue(step.operator.apply(value, right))) {
                    return false;
                }
                value = right;
            }
            return true;
        };
    }

    private @Nullable BinaryOperator<Object> comparisonOperator() {
        if (tokens.skipName("in")) {
            return (item, container) -> Python.contains(container, item);
        }
        if (tokens.isName("not") && tokens.peekSecond().is(Kind.NAME, "in")) {
            tokens.next();
            tokens.next();
            return (item, container) -> !Python.contains(container, item);
        }
        return operator(COMPARISONS);
    }

    private @Nullable BinaryOperator<Object> operator(Map<String, BinaryOperator<Object>> operators) {
        Token token = tokens.peek();
        BinaryOperator<Object> operator = token.kind() == Kind.OPERATOR ? operators.get(token.text()) : null;
        if (operator != null) {
            tokens.next();
        }
        return operator;
    }

    private JinjaExpression sum() {
        return chain(SUMS, () -> chain(JOINS, () -> chain(PRODUCTS, () -> unary(true))));
    }

    private JinjaExpression chain(Map<String, BinaryOperator<Object>> operators, Level tighter) {
        JinjaExpression left = tighter.read();
        List<Step> steps = new ArrayList<>();
        BinaryOperator<Object> operator;
        while ((operator = operator(operators)) != null) {
            steps.add(new Step(operator, tighter.read()));
        }
        if (steps.isEmpty()) {
            return left;
        }
        return scope -> {
            Object value = left.value(scope);
            for (Step step : steps) {
                value = step.operator.apply(value, step.right.value(scope));
            }
            return value;
        };
    }

    private JinjaExpression unary(boolean withFilters) {
        JinjaExpression expression;
        if (tokens.skipOperator("-")) {
            JinjaExpression operand = unary(false);
            expression = scope -> Python.subtract(0L, operand.value(scope));
        } else if (tokens.skipOperator("+")) {
            JinjaExpression operand = unary(false);
            expression = scope -> Python.add(0L, operand.value(scope));
        } else {
            expression = primary();
        }
        expression = postfix(expression);
        return withFilters ? filters(expression) : expression;
    }

    private JinjaExpression primary() {
        Token token = tokens.peek();
        return switch (token.kind()) {
            case NAME -> {
                tokens.next();
                yield switch (token.text()) {
                    case "true", "True" -> _ -> true;
                    case "false", "False" -> _ -> false;
                    case "none", "None" -> _ -> Python.None.NONE;
                    default -> scope -> scope.get(token.text());
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                MarkedText literal = MarkedText.trusted(text.toString());
                yield _ -> literal;
            }
            case INTEGER -> {
                Long number = number(tokens.next());
                yield _ -> number;
            }
            default -> bracketed();
        };
    }

    private JinjaExpression bracketed() {
        if (tokens.skipOperator("(")) {
            JinjaExpression inside = tokens.isOperator(")") ? list(List.of()) : tuple(true);
            tokens.expectOperator(")");
            return inside;
        }
        if (tokens.skipOperator("[")) {
            return list(listItems());
        }
        if (tokens.skipOperator("{")) {
            return dict();
        }
        throw tokens.unexpected("an expression");
    }

    private static Long number(Token token) {
        try {
            return Long.parseLong(token.text());
        } catch (NumberFormatException e) {
            throw new JinjaError(token.line(), token.text() + " has more than 64 bits");
        }
    }

    private List<JinjaExpression> listItems() {
        List<JinjaExpression> items = new ArrayList<>();
        while (!tokens.skipOperator("]")) {
            items.add(condition());
            if (!tokens.isOperator("]")) {
                tokens.expectOperator(",");
            }
        }
        return items;
    }

    private static JinjaExpression list(List<JinjaExpression> items) {
        return scope -> values(items, scope);
    }

    private static List<Object> values(List<JinjaExpression> expressions, JinjaScope scope) {
        List<Object> values = new ArrayList<>();
        for (JinjaExpression expression : expressions) {
            values.add(expression.value(scope));
        }
        return values;
    }

    private JinjaExpression dict() {
        Map<JinjaExpression, JinjaExpression> entries = new LinkedHashMap<>();
        while (!tokens.skipOperator("}")) {
            JinjaExpression key = condition();
            tokens.expectOperator(":");
            entries.put(key, condition());
            if (!tokens.isOperator("}")) {
                tokens.expectOperator(",");
            }
        }
        return scope -> {
            Map<Object, Object> dict = new LinkedHashMap<>();
            entries.forEach((key, value) -> dict.put(key.value(scope), value.value(scope)));
            return dict;
        };
    }

    private JinjaExpression postfix(JinjaExpression base) {
        JinjaExpression expression = base;
        while (true) {
            if (tokens.skipOperator(".")) {
                expression = member(expression);
            } else if (tokens.skipOperator("[")) {
                expression = subscript(expression);
            } else if (tokens.isOperator("(")) {
                expression = call(expression);
            } else {
                return expression;
            }
        }
    }

    private JinjaExpression member(JinjaExpression base) {
        if (tokens.peek().kind() == Kind.INTEGER) {
            Long index = number(tokens.next());
            return scope -> Python.item(base.value(scope), index);
        }
        String name = tokens.expect(Kind.NAME, "an attribute's name").text();
        return scope -> Python.attribute(base.value(scope), name);
    }

    private JinjaExpression subscript(JinjaExpression base) {
        JinjaExpression start = sliceBound();
        if (start != null && tokens.skipOperator("]")) {
            return scope -> Python.item(base.value(scope), start.value(scope));
        }
        tokens.expectOperator(":");
        JinjaExpression stop = sliceBound();
        JinjaExpression step = tokens.skipOperator(":") ? sliceBound() : null;
        tokens.expectOperator("]");
        return scope -> Python.slice(
                base.value(scope), valueOrNull(start, scope), valueOrNull(stop, scope), valueOrNull(step, scope));
    }

    private @Nullable JinjaExpression sliceBound() {
        return tokens.isOperator(":") || tokens.isOperator("]") ? null : condition();
    }

    private static @Nullable Object valueOrNull(@Nullable JinjaExpression expression, JinjaScope scope) {
        return expression == null ? null : expression.value(scope);
    }

    /** The arguments of a call, not yet evaluated. */
    private record Arguments(List<JinjaExpression> positional, Map<String, JinjaExpression> named) {
        Object pass(JinjaFunction function, JinjaScope scope) {
            Map<String, Object> values = new LinkedHashMap<>();
            named.forEach((name, expression) -> values.put(name, expression.value(scope)));
            return function.call(JinjaExpressions.values(positional, scope), values);
        }
    }

    private Arguments arguments(List<JinjaExpression> first) {
        List<JinjaExpression> positional = new ArrayList<>(first);
        Map<String, JinjaExpression> named = new LinkedHashMap<>();
        tokens.expectOperator("(");
        while (!tokens.skipOperator(")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
                String name = tokens.next().text();
                tokens.next();
                named.put(name, condition());
            } else if (named.isEmpty()) {
                positional.add(condition());
            } else {
                throw tokens.unexpected("an argument with a name, as the one before,");
            }
            if (!tokens.isOperator(")")) {
                tokens.expectOperator(",");
            }
        }
        return new Arguments(positional, named);
    }

    private JinjaExpression call(JinjaExpression callee) {
        Arguments arguments = arguments(List.of());
        return scope -> switch (callee.value(scope)) {
            case JinjaFunction function -> arguments.pass(function, scope);
            case Python.Undefined(String complaint) -> throw new JinjaError(complaint);
            case Object other -> throw new JinjaError(Python.typeName(other) + " cannot be called");
        };
    }

    private JinjaExpression filters(JinjaExpression value) {
        JinjaExpression expression = value;
        while (true) {
            if (tokens.skipOperator("|")) {
                expression = filter(expression);
            } else if (tokens.skipName("is")) {
                expression = test(expression);
            } else if (tokens.isOperator("(")) {
                expression = call(expression);
            } else {
                return expression;
            }
        }
    }

    private JinjaExpression filter(JinjaExpression value) {
        Token name = tokens.expect(Kind.NAME, "a filter's name");
        Arguments arguments =
                tokens.isOperator("(") ? arguments(List.of(value)) : new Arguments(List.of(value), Map.of());
        return scope -> arguments.pass(JinjaFilters.named(name.text()), scope);
    }

    private JinjaExpression test(JinjaExpression value) {
        boolean isNegated = tokens.skipName("not");
        Token name = tokens.expect(Kind.NAME, "a test's name");
        Arguments arguments;
        if (tokens.isOperator("(")) {
            arguments = arguments(List.of(value));
        } else if (isOperand()) {
            arguments = new Arguments(List.of(value, postfix(primary())), Map.of());
        } else {
            arguments = new Arguments(List.of(value), Map.of());
        }
        return scope -> isNegated ^ Python.isTrue(arguments.pass(JinjaTests.named(name.text()), scope));
    }

    /** Whether an argument of a test follows that is not in parentheses. */
    private boolean isOperand() {
        return switch (tokens.peek().kind()) {
            case STRING, INTEGER -> true;
            case NAME ->
                !List.of("else", "or", "and", "is", "if", "in", "not")
                        .contains(tokens.peek().text());
            case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
            default -> false;
        };
    }
}
