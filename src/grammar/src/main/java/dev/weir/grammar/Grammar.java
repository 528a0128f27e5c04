package dev.weir.grammar;

import dev.weir.engine.TokenConstraint;
import dev.weir.protocol.JsonSchema;
import java.util.BitSet;
import java.util.List;
import java.util.Map;

/**
 * What an answer may look like, down to the byte: the grammar of constrained decoding. It works out lazily which tokens may come
 * next, and remembers it for all answers that are held to it.
 *
 * <p>Made on any thread; from its first {@link #constraint} on it belongs to the engine thread of the one model that its tokens
 * are of.
 */
public final class Grammar {
    private final TokenTrie tokens;
    private final Expressions expressions;
    private final Expression start;

    private Grammar(TokenTrie tokens, Expressions expressions, Expression start) {
        this.tokens = tokens;
        this.expressions = expressions;
        this.start = start;
    }

    /**
     * A JSON value of a schema.
     *
     * @throws IllegalArgumentException saying what of the schema cannot be done
     */
    public static Grammar ofSchema(TokenTrie tokens, JsonSchema.Document schema) {
        Expressions make = new Expressions();
        return new Grammar(tokens, make, new SchemaExpression(make, "").of(schema));
    }

    /** Any JSON object. */
    public static Grammar ofJsonObject(TokenTrie tokens) {
        Expressions make = new Expressions();
        return new Grammar(tokens, make, new JsonText(make).anyObject());
    }

    /**
     * What matches the whole of a regular expression.
     *
     * @throws IllegalArgumentException saying what in it is wrong or cannot be done, and where
     */
    public static Grammar ofRegex(TokenTrie tokens, String pattern) {
        Expressions make = new Expressions();
        return new Grammar(tokens, make, Regex.whole(make, Spelling.plain(make), pattern));
    }

    /** One of these texts. */
    public static Grammar ofChoice(TokenTrie tokens, List<String> texts) {
        Expressions make = new Expressions();
        return new Grammar(
                tokens, make, make.choice(texts.stream().map(make::text).toList()));
    }

    /**
     * Calls of functions, with nothing beside them.
     *
     * @param functions what the arguments of each are, by its name; at least one
     * @param several whether there may be more than one call
     * @throws IllegalArgumentException saying what of a schema cannot be done
     */
    public static Grammar ofCalls(
            TokenTrie tokens, CallForm form, Map<String, JsonSchema.Document> functions, boolean several) {
        Expressions make = new Expressions();
        return new Grammar(tokens, make, new CallExpression(make, form).calls(functions, several));
    }

    /**
     * Any text, which ends with calls if it has any: from the first one's marker on it is held to their form.
     *
     * @see #ofCalls
     */
    public static Grammar ofTextThenCalls(
            TokenTrie tokens, CallForm form, Map<String, JsonSchema.Document> functions, boolean several) {
        Expressions make = new Expressions();
        return new Grammar(tokens, make, new CallExpression(make, form).textThenCalls(functions, several));
    }

    /** Holds one answer to this grammar. */
    public TokenConstraint constraint() {
        return new Cursor();
    }

    /** Where one answer is. */
    private final class Cursor implements TokenConstraint {
        private Expression rest = start;

        @Override
        public void allow(BitSet allowed) {
            BitSet fitting = rest.tokens;
            if (fitting == null) {
                fitting = tokens.fitting(expressions, rest);
                rest.tokens = fitting;
            }
            allowed.or(fitting);
        }

        @Override
        public void accept(int token) {
            if (!tokens.isEnd(token)) {
                for (byte value : tokens.bytes(token)) {
                    rest = expressions.after(rest, value & 0xff);
                }
            }
        }

        @Override
        public boolean isComplete() {
            return rest == expressions.empty;
        }
    }
}
