package dev.weir.tokenizer;

import dev.weir.tokenizer.JinjaLexer.Kind;
import dev.weir.tokenizer.JinjaLexer.Token;
import java.util.List;

/** The tokens of a template with a place up to which they are read. Owned by one call. */
final class JinjaTokens {
    private final List<Token> tokens;
    private int at;

    JinjaTokens(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    int line() {
        return peek().line();
    }

    boolean isName(String name) {
        return peek().is(Kind.NAME, name);
    }

    boolean isOperator(String operator) {
        return peek().is(Kind.OPERATOR, operator);
    }

    boolean skipName(String name) {
        boolean is = isName(name);
        at += is ? 1 : 0;
        return is;
    }

    boolean skipOperator(String operator) {
        boolean is = isOperator(operator);
        at += is ? 1 : 0;
        return is;
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected("\"" + operator + "\"");
        }
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected("\"" + name + "\"");
        }
    }

    Token expect(Kind kind, String what) {
        if (peek().kind() != kind) {
            throw unexpected(what);
        }
        return next();
    }

    JinjaError unexpected(String wanted) {
        return new JinjaError(line(), "there is " + peek() + " where " + wanted + " is expected");
    }
}
