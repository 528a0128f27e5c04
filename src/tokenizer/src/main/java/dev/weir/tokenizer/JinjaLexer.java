package dev.weir.tokenizer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens as Jinja does with {@code trim_blocks} and {@code lstrip_blocks}: a line break right after a tag
 * is dropped, and so is white space between the beginning of a line and a tag; a minus at a delimiter drops all white space
 * on its side, a plus keeps it. Owned by one call.
 */
final class JinjaLexer {
    /** Longer ones first. */
    private static final List<String> OPERATORS = List.of(
            "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{", "}", "<", ">", "=",
            ".", ":", "|", ",");

    enum Kind {
        TEXT,
        PRINT_OPEN,
        PRINT_CLOSE,
        TAG_OPEN,
        TAG_CLOSE,
        NAME,
        STRING,
        INTEGER,
        OPERATOR,
        END
    }

    /**
     * One token.
     *
     * @param text what it says; a string without its quotes and escapes
     */
    record Token(Kind kind, String text, int line) {
        boolean is(Kind wanted, String wantedText) {
            return kind == wanted && text.equals(wantedText);
        }

        @Override
        public String toString() {
            return kind == Kind.END ? "the end of the template" : "\"" + text + "\"";
        }
    }

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int countedLine = 1;
    private int countedTo;

    private JinjaLexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String source) {
        String text = source.replace("\r\n", "\n").replace('\r', '\n');
        JinjaLexer lexer = new JinjaLexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int open = nextOpening();
            addText(open);
            at = open;
            if (at == source.length()) {
                break;
            }
            char kind = source.charAt(at + 1);
            if (kind == '#') {
                skipComment();
            } else {
                addExpression(kind == '{');
            }
        }
        add(Kind.END, "");
    }

    private int nextOpening() {
        for (int i = at; i + 1 < source.length(); i++) {
            if (source.charAt(i) == '{' && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    /** Adds the text up to a delimiter, less the white space that the delimiter drops. */
    private void addText(int open) {
        int end = open;
        if (isAt(open + 2, "-")) {
            while (end > at && PythonText.isSpace(source.charAt(end - 1))) {
                end--;
            }
        } else if (open < source.length() && source.charAt(open + 1) != '{' && !isAt(open + 2, "+")) {
            int blank = end;
            while (blank > at && source.charAt(blank - 1) != '\n' && PythonText.isSpace(source.charAt(blank - 1))) {
                blank--;
            }
            if (blank == 0 || source.charAt(blank - 1) == '\n') {
                end = blank;
            }
        }
        if (end > at) {
            tokens.add(new Token(Kind.TEXT, source.substring(at, end), line()));
        }
    }

    private void skipComment() {
        int start = at + (isAt(at + 2, "-") || isAt(at + 2, "+") ? 3 : 2);
        int close = source.indexOf("#}", start);
        if (close < 0) {
            throw new JinjaError(line(), "a comment is not closed: \"#}\" is missing");
        }
        at = close + 2;
        afterClosing(close > start ? source.charAt(close - 1) : '#', true);
    }

    /** Goes past what a closing delimiter drops. */
    private void afterClosing(char sign, boolean dropsLineBreak) {
        if (sign == '-') {
            while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
                at++;
            }
        } else if (sign != '+' && dropsLineBreak && isAt(at, "\n")) {
            at++;
        }
    }

    private void addExpression(boolean isPrint) {
        String closing = isPrint ? "}}" : "%}";
        add(isPrint ? Kind.PRINT_OPEN : Kind.TAG_OPEN, isPrint ? "{{" : "{%");
        at += isAt(at + 2, "-") || isAt(at + 2, "+") ? 3 : 2;
        Deque<Character> brackets = new ArrayDeque<>();
        while (true) {
            at = pastSpace(at);
            if (at == source.length()) {
                throw new JinjaError(tokens.getLast().line(), "\"" + closing + "\" is missing");
            }
            char sign = source.charAt(at);
            boolean isSigned = (sign == '-' || (sign == '+' && !isPrint)) && isAt(at + 1, closing);
            if (brackets.isEmpty() && (isSigned || isAt(at, closing))) {
                add(isPrint ? Kind.PRINT_CLOSE : Kind.TAG_CLOSE, closing);
                at += isSigned ? 3 : 2;
                afterClosing(sign, !isPrint);
                return;
            }
            addToken(sign, brackets);
        }
    }

    private void addToken(char first, Deque<Character> brackets) {
        int start = at;
        if (first == '"' || first == '\'') {
            addString(first);
        } else if (isNamePart(first) && !Character.isDigit(first)) {
            int end = at;
            while (end < source.length() && isNamePart(source.charAt(end))) {
                end++;
            }
            add(Kind.NAME, source.substring(start, end));
            at = end;
        } else if (isDigit(first)) {
            addNumber();
        } else {
            addOperator(brackets);
        }
    }

    private static boolean isNamePart(char c) {
        return Character.isUnicodeIdentifierPart(c) || c == '_';
    }

    private void addString(char quote) {
        int end = at + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw new JinjaError(line(), "a string is not closed: " + quote + " is missing");
        }
        add(Kind.STRING, PythonText.unescape(source.substring(at + 1, end), line()));
        at = end + 1;
    }

    private void addNumber() {
        int end = pastDigits(at);
        boolean isMember = source.charAt(at - 1) == '.'; // as in messages.0.role
        if (!isMember && isAt(end, ".") && pastDigits(end + 1) > end + 1) {
            throw new JinjaError(
                    line(), source.substring(at, pastDigits(end + 1)) + " is not an int, and only ints are supported");
        }
        add(Kind.INTEGER, source.substring(at, end).replace("_", ""));
        at = end;
    }

    private void addOperator(Deque<Character> brackets) {
        String operator = OPERATORS.stream()
                .filter(candidate -> isAt(at, candidate))
                .findFirst()
                .orElseThrow(() -> new JinjaError(
                        line(), "\"" + Character.toString(source.codePointAt(at)) + "\" means nothing here"));
        char first = operator.charAt(0);
        int opening = "([{".indexOf(first);
        if (opening >= 0) {
            brackets.push(")]}".charAt(opening));
        } else if (")]}".indexOf(first) >= 0 && (brackets.isEmpty() || brackets.pop() != first)) {
            throw new JinjaError(line(), "\"" + first + "\" closes nothing");
        }
        add(Kind.OPERATOR, operator);
        at += operator.length();
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line()));
    }

    private boolean isAt(int position, String text) {
        return source.startsWith(text, position);
    }

    private int pastSpace(int from) {
        int i = from;
        while (i < source.length() && PythonText.isSpace(source.charAt(i))) {
            i++;
        }
        return i;
    }

    /** The end of digits, which may have underscores between them. */
    private int pastDigits(int from) {
        int i = from;
        while (i < source.length() && (isDigit(source.charAt(i)) || (i > from && source.charAt(i) == '_'))) {
            i++;
        }
        return i;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** The line of the current position, counted on from the last time. */
    private int line() {
        for (; countedTo < at; countedTo++) {
            if (source.charAt(countedTo) == '\n') {
                countedLine++;
            }
        }
        return countedLine;
    }
}
