package dev.weir.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.TokenConstraint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TokenTrieTest {
    private static final Grammar OBJECT = Grammar.ofJsonObject(Bytes.TOKENS);
    private static final String[] PIECES = {
        "{", "}", "\"a", "\": ", "\"", ":", " ", "1", "12", ",", "true", "\u00e9", "[", "]"
    };

    /** A token may come exactly if its bytes may come one after the other. */
    @Test
    void aTokenFitsIfItsBytesDo() {
        SplittableRandom random = new SplittableRandom(9);
        byte[][] vocabulary = new byte[200][];
        for (int i = 0; i < vocabulary.length; i++) {
            StringBuilder token = new StringBuilder();
            for (int piece = random.nextInt(4); piece >= 0; piece--) {
                token.append(PIECES[random.nextInt(PIECES.length)]);
            }
            byte[] bytes = token.toString().getBytes(StandardCharsets.UTF_8);
            vocabulary[i] = random.nextInt(10) == 0 ? Arrays.copyOf(bytes, bytes.length / 2) : bytes;
        }
        int end = 5;
        TokenTrie tokens = new TokenTrie(vocabulary.length, id -> vocabulary[id], end);
        Grammar grammar = Grammar.ofJsonObject(tokens);
        for (int run = 0; run < 20; run++) {
            TokenConstraint at = grammar.constraint();
            ByteArrayOutputStream written = new ByteArrayOutputStream();
            for (int step = 0; step < 12; step++) {
                BitSet allowed = new BitSet();
                at.allow(allowed);
                for (int token = 0; token < vocabulary.length; token++) {
                    boolean fits = token == end
                            ? Bytes.accepts(OBJECT, written.toByteArray())
                            : vocabulary[token].length > 0 && fits(written.toByteArray(), vocabulary[token]);
                    assertThat(allowed.get(token))
                            .as("token %d after %s", token, written)
                            .isEqualTo(fits);
                }
                allowed.clear(end);
                if (allowed.isEmpty()) {
                    break;
                }
                int chosen = random.ints(0, vocabulary.length)
                        .filter(allowed::get)
                        .findFirst()
                        .orElseThrow();
                at.accept(chosen);
                written.writeBytes(vocabulary[chosen]);
            }
        }
    }

    private static boolean fits(byte[] before, byte[] token) {
        TokenConstraint at = OBJECT.constraint();
        for (byte value : before) {
            at.accept(value & 0xff);
        }
        for (byte value : token) {
            if (!Bytes.allowed(at).get(value & 0xff)) {
                return false;
            }
            at.accept(value & 0xff);
        }
        return true;
    }

    /** What is remembered is bounded, and forgetting it changes nothing. */
    @Test
    void aLongAnswerOfManyStatesStaysRight() {
        Grammar grammar = Bytes.schema("{\"type\":\"array\",\"items\":{\"type\":\"string\",\"maxLength\":9000}}");
        TokenConstraint at = grammar.constraint();
        at.accept('[');
        for (int item = 0; item < 4; item++) {
            at.accept('"');
            for (int i = 0; i < 9_000; i++) {
                assertThat(Bytes.allowed(at).get('a')).isTrue();
                at.accept('a');
            }
            assertThat(Bytes.allowed(at).get('a')).isFalse();
            at.accept('"');
            at.accept(item < 3 ? ',' : ']');
        }
        assertThat(at.isComplete()).isTrue();
    }

    @Test
    void aChoiceIsOneOfItsTexts() {
        Grammar grammar = Grammar.ofChoice(Bytes.TOKENS, List.of("yes", "no", "not yet"));
        assertThat(Bytes.accepts(grammar, "no")).isTrue();
        assertThat(Bytes.accepts(grammar, "not yet")).isTrue();
        assertThat(Bytes.accepts(grammar, "not")).isFalse();
        TokenConstraint at = grammar.constraint();
        for (char c : "yes".toCharArray()) {
            assertThat(at.isComplete()).isFalse();
            at.accept(c);
        }
        assertThat(at.isComplete()).isTrue();
    }
}
