package dev.weir.grammar;

import dev.weir.engine.TokenConstraint;
import dev.weir.protocol.OutputFormat;
import dev.weir.protocol.RequestReader;
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.Objects;
import java.util.random.RandomGenerator;

/** A vocabulary of single bytes and one end, and what can be asked of a grammar over it. */
final class Bytes {
    static final int END = 256;
    static final TokenTrie TOKENS = new TokenTrie(257, id -> id == END ? new byte[0] : new byte[] {(byte) id}, END);

    private Bytes() {}

    static Grammar schema(String json) {
        OutputFormat format = RequestReader.completion(
                        "{\"prompt\":\"x\",\"structured_outputs\":{\"json\":" + json + "}}")
                .sampling()
                .format();
        return Grammar.ofSchema(TOKENS, ((OutputFormat.Schema) Objects.requireNonNull(format)).document());
    }

    static BitSet allowed(TokenConstraint at) {
        BitSet allowed = new BitSet();
        at.allow(allowed);
        return allowed;
    }

    /** Whether a grammar allows a text and then the end. */
    static boolean accepts(Grammar grammar, String text) {
        return accepts(grammar, text.getBytes(StandardCharsets.UTF_8));
    }

    static boolean accepts(Grammar grammar, byte[] text) {
        TokenConstraint at = grammar.constraint();
        for (byte value : text) {
            if (!allowed(at).get(value & 0xff)) {
                return false;
            }
            at.accept(value & 0xff);
        }
        return allowed(at).get(END);
    }

    /** A text that a grammar allows, drawn at random with a leaning towards its end. */
    static String draw(Grammar grammar, RandomGenerator random) {
        TokenConstraint at = grammar.constraint();
        byte[] text = new byte[1 << 16];
        int length = 0;
        while (true) {
            BitSet allowed = allowed(at);
            if (at.isComplete() || (allowed.get(END) && random.nextInt(3) == 0) || length == text.length) {
                return new String(text, 0, length, StandardCharsets.UTF_8);
            }
            allowed.clear(END);
            int next = choose(allowed, random);
            text[length++] = (byte) next;
            at.accept(next);
        }
    }

    private static int choose(BitSet allowed, RandomGenerator random) {
        for (char end : new char[] {'"', ']', '}'}) {
            if (allowed.get(end) && random.nextInt(3) == 0) {
                return end;
            }
        }
        int left = random.nextInt(allowed.cardinality());
        int at = allowed.nextSetBit(0);
        while (left-- > 0) {
            at = allowed.nextSetBit(at + 1);
        }
        return at;
    }
}
