package dev.weir.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads regular expressions: what JavaScript's and Python's have in common and an automaton can do. Characters, {@code .},
 * classes, {@code \d \w \s} and their opposites, groups, alternatives and repetition, anchors at the ends. Owned by one thread.
 */
final class Regex {
    /** Copies that a repetition may ask for; the automaton has a state for each. */
    static final int MOST_COPIES = 10_000;

    private static final int DEEPEST = 200;
    private static final CodePoints DIGITS = CodePoints.ofPairs("09");
    private static final CodePoints WORD = CodePoints.ofPairs("azAZ09__");
    private static final CodePoints SPACE = CodePoints.ofPairs(
            "\t\r  \u00a0\u00a0\ufeff\ufeff\u1680\u1680\u2000\u200a\u2028\u2029\u202f\u202f\u205f\u205f\u3000\u3000");
    private static final CodePoints LINE_END = CodePoints.ofPairs("\n\n\r\r\u2028\u2029");

    private final Expressions make;
    private final Spelling spelling;
    private final int[] pattern;
    private int at;
    private int depth;
    private boolean isOpenAtStart = true;
    private boolean isOpenAtEnd = true;

    private Regex(Expressions make, Spelling spelling, String pattern) {
        this.make = make;
        this.spelling = spelling;
        this.pattern = pattern.codePoints().toArray();
    }

    /**
     * What matches the whole of a pattern.
     *
     * @throws IllegalArgumentException saying what in it is wrong or cannot be done, and where
     */
    static Expression whole(Expressions make, Spelling spelling, String pattern) {
        return new Regex(make, spelling, pattern).read();
    }

    /** What holds a match of a pattern somewhere; at its ends if it has anchors there. */
    static Expression search(Expressions make, Spelling spelling, String pattern) {
        Regex regex = new Regex(make, spelling, pattern);
        Expression match = regex.read();
        Expression anything = make.repeat(spelling.of(CodePoints.ANY), 0, Expressions.UNLIMITED);
        return make.sequence(
                regex.isOpenAtStart ? anything : make.empty, match, regex.isOpenAtEnd ? anything : make.empty);
    }

    private Expression read() {
        if (!isAtEnd() && pattern[0] == '^') {
            at++;
            isOpenAtStart = false;
        }
        Expression all = alternatives();
        if (!isAtEnd()) {
            throw wrong(peek() == ')' ? "a bracket closes that was not opened" : "this is not supported here");
        }
        if ((!isOpenAtStart || !isOpenAtEnd) && topLevelAlternatives > 1) {
            at = 0;
            throw wrong("an anchor beside | belongs to one alternative alone; put brackets around them");
        }
        return all;
    }

    private int topLevelAlternatives = 1;

    private Expression alternatives() {
        if (++depth > DEEPEST) {
            throw wrong("brackets are nested more than " + DEEPEST + " deep");
        }
        List<Expression> options = new ArrayList<>();
        options.add(sequence());
        while (!isAtEnd() && peek() == '|') {
            at++;
            options.add(sequence());
        }
        if (depth == 1) {
            topLevelAlternatives = options.size();
        }
        depth--;
        return make.choice(options);
    }

    private Expression sequence() {
        List<Expression> parts = new ArrayList<>();
        while (!isAtEnd() && peek() != '|' && peek() != ')') {
            if (peek() == '$' && depth == 1 && at == pattern.length - 1) {
                at++;
                isOpenAtEnd = false;
            } else {
                parts.add(repeated(atom()));
            }
        }
        return make.sequence(parts.toArray(Expression[]::new));
    }

    private Expression repeated(Expression atom) {
        Expression all = atom;
        boolean isRepeated = false;
        while (!isAtEnd()) {
            int min;
            int max;
            switch (peek()) {
                case '*' -> {
                    min = 0;
                    max = Expressions.UNLIMITED;
                    at++;
                }
                case '+' -> {
                    min = 1;
                    max = Expressions.UNLIMITED;
                    at++;
                }
                case '?' -> {
                    min = 0;
                    max = 1;
                    at++;
                }
                case '{' -> {
                    at++;
                    min = number();
                    max = min;
                    if (peekIs(',')) {
                        at++;
                        max = peekIs('}') ? Expressions.UNLIMITED : number();
                    }
                    expect('}');
                    if (max < min) {
                        throw wrong("the repetition's bounds are the wrong way round");
                    }
                }
                default -> {
                    return all;
                }
            }
            if (isRepeated) {
                throw wrong("one repetition follows another");
            }
            isRepeated = true;
            all = make.repeat(all, min, max);
            if (peekIs('?')) {
                at++; // to prefer fewer changes which match is found, not what matches
            } else if (peekIs('+')) {
                throw wrong("possessive repetition is not supported");
            }
        }
        return all;
    }

    private int number() {
        int start = at;
        int value = 0;
        while (!isAtEnd() && peek() >= '0' && peek() <= '9') {
            value = value * 10 + (peek() - '0');
            at++;
            if (value > MOST_COPIES) {
                throw wrong("a repetition of more than " + MOST_COPIES + " times is not supported");
            }
        }
        if (at == start) {
            throw wrong("a number is missing");
        }
        return value;
    }

    private Expression atom() {
        int c = next();
        return switch (c) {
            case '(' -> group();
            case '[' -> spelling.of(characterClass());
            case '.' -> spelling.of(LINE_END.not());
            case '\\' -> spelling.of(escape(false));
            case '^', '$' -> {
                at--;
                throw wrong("an anchor is supported at the pattern's ends only");
            }
            case '*', '+', '?', '{' -> {
                at--;
                throw wrong("there is nothing to repeat");
            }
            default -> spelling.of(CodePoints.of(c));
        };
    }

    private Expression group() {
        if (peekIs('?')) {
            at++;
            int kind = next();
            boolean isNamed = (kind == 'P' && peekIs('<')) || (kind == '<' && !peekIs('=') && !peekIs('!'));
            if (isNamed) {
                while (next() != '>') {}
            } else if (kind != ':') {
                at -= 2;
                throw wrong("look-around and flags are not supported");
            }
        }
        Expression inner = alternatives();
        expect(')');
        return inner;
    }

    private CodePoints characterClass() {
        boolean isNegated = peekIs('^');
        if (isNegated) {
            at++;
        }
        CodePoints set = new CodePoints(List.of());
        boolean isFirst = true;
        while (isFirst || !peekIs(']')) {
            if (isFirst && peekIs(']')) {
                throw wrong("a class is empty; write \\] for the bracket itself");
            }
            isFirst = false;
            int start = at;
            CodePoints from = classMember();
            if (peekIs('-') && at + 1 < pattern.length && pattern[at + 1] != ']') {
                at++;
                CodePoints to = classMember();
                if (!isOne(from) || !isOne(to) || one(from) > one(to)) {
                    at = start;
                    throw wrong("this range of a class does not go up from one character to another");
                }
                from = CodePoints.of(one(from), one(to));
            }
            set = set.or(from);
        }
        at++;
        return isNegated ? set.not() : set;
    }

    private CodePoints classMember() {
        int c = next();
        return c == '\\' ? escape(true) : CodePoints.of(c);
    }

    private static boolean isOne(CodePoints set) {
        return set.ranges().size() == 1
                && set.ranges().getFirst().from() == set.ranges().getFirst().to();
    }

    private static int one(CodePoints set) {
        return set.ranges().getFirst().from();
    }

    private CodePoints escape(boolean isInClass) {
        int c = next();
        return switch (c) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.not();
            case 'w' -> WORD;
            case 'W' -> WORD.not();
            case 's' -> SPACE;
            case 'S' -> SPACE.not();
            case 'n' -> CodePoints.of('\n');
            case 'r' -> CodePoints.of('\r');
            case 't' -> CodePoints.of('\t');
            case 'f' -> CodePoints.of('\f');
            case 'v' -> CodePoints.of(0x0b);
            case '0' -> CodePoints.of(0);
            case 'x' -> CodePoints.of(hex(2));
            case 'u' -> CodePoints.of(hex(4));
            case 'b' -> {
                if (isInClass) {
                    yield CodePoints.of('\b');
                }
                at -= 2;
                throw wrong("word boundaries are not supported");
            }
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    at -= 2;
                    throw wrong("\\" + Character.toString(c) + " is not supported");
                }
                yield CodePoints.of(c);
            }
        };
    }

    private int hex(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = Character.digit(next(), 16);
            if (digit < 0) {
                throw wrong(digits + " hexadecimal digits are missing");
            }
            value = value * 16 + digit;
        }
        return value;
    }

    private boolean isAtEnd() {
        return at >= pattern.length;
    }

    private int peek() {
        return pattern[at];
    }

    private boolean peekIs(int c) {
        return !isAtEnd() && peek() == c;
    }

    private int next() {
        if (isAtEnd()) {
            throw wrong("the pattern ends too early");
        }
        return pattern[at++];
    }

    private void expect(int c) {
        if (!peekIs(c)) {
            throw wrong(Character.toString(c) + " is missing");
        }
        at++;
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("at character " + (at + 1) + ": " + what);
    }
}
