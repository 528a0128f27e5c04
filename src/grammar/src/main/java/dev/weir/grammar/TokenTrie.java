package dev.weir.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;

/**
 * The tokens of a vocabulary by their bytes, so that those with a common beginning are looked at together. Immutable; any
 * thread.
 */
public final class TokenTrie {
    private static final int NONE = -1;

    private final int vocabularySize;
    private final byte[][] bytes;
    private final BitSet endTokens = new BitSet();
    // Nodes in depth-first order: the byte that leads to each, the node after all that it leads to, and its tokens.
    private final byte[] values;
    private final int[] next;
    private final int[] firstToken;
    /** For each token the next one of the same bytes. */
    private final int[] sameBytes;

    /**
     * The tokens of a vocabulary.
     *
     * @param bytes what each id adds to a text; none for an id that adds nothing, which never fits
     * @param endTokens ids that end a text
     */
    public TokenTrie(int vocabularySize, IntFunction<byte[]> bytes, int... endTokens) {
        this.vocabularySize = vocabularySize;
        this.bytes = new byte[vocabularySize][];
        for (int token : endTokens) {
            this.endTokens.set(token);
        }
        List<Integer> tokens = new ArrayList<>();
        for (int token = 0; token < vocabularySize; token++) {
            this.bytes[token] = bytes.apply(token);
            if (this.bytes[token].length > 0 && !this.endTokens.get(token)) {
                tokens.add(token);
            }
        }
        tokens.sort(Comparator.comparing((Integer token) -> this.bytes[token], Arrays::compareUnsigned));
        Nodes nodes = new Nodes();
        sameBytes = new int[vocabularySize];
        Arrays.fill(sameBytes, NONE);
        byte[] before = {};
        for (int token : tokens) {
            byte[] text = this.bytes[token];
            int common = Math.max(0, Arrays.mismatch(before, text));
            if (Arrays.equals(before, text)) {
                sameBytes[token] = nodes.firstToken[nodes.size - 1];
                nodes.firstToken[nodes.size - 1] = token;
                continue;
            }
            nodes.closeTo(common);
            for (int i = common; i < text.length; i++) {
                nodes.open(text[i]);
            }
            nodes.firstToken[nodes.size - 1] = token;
            before = text;
        }
        nodes.closeTo(0);
        values = Arrays.copyOf(nodes.values, nodes.size);
        next = Arrays.copyOf(nodes.next, nodes.size);
        firstToken = Arrays.copyOf(nodes.firstToken, nodes.size);
    }

    /** Nodes as they are made. */
    private static final class Nodes {
        private final List<Integer> path = new ArrayList<>();
        private byte[] values = new byte[1024];
        private int[] next = new int[1024];
        private int[] firstToken = new int[1024];
        private int size;

        void open(byte value) {
            if (size == values.length) {
                values = Arrays.copyOf(values, 2 * size);
                next = Arrays.copyOf(next, 2 * size);
                firstToken = Arrays.copyOf(firstToken, 2 * size);
            }
            values[size] = value;
            firstToken[size] = NONE;
            path.add(size++);
        }

        void closeTo(int depth) {
            while (path.size() > depth) {
                next[path.removeLast()] = size;
            }
        }
    }

    int vocabularySize() {
        return vocabularySize;
    }

    boolean isEnd(int token) {
        return endTokens.get(token);
    }

    byte[] bytes(int token) {
        return bytes[token];
    }

    /** The tokens whose bytes may come next, and those that end the text if it may end here. */
    BitSet fitting(Expressions expressions, Expression expression) {
        BitSet fitting = new BitSet(vocabularySize);
        addFitting(expressions, expression, 0, values.length, fitting);
        if (expression.acceptsEmpty) {
            fitting.or(endTokens);
        }
        return fitting;
    }

    private void addFitting(Expressions expressions, Expression expression, int from, int to, BitSet fitting) {
        for (int node = from; node < to; node = next[node]) {
            Expression after = expressions.after(expression, values[node] & 0xff);
            if (!after.isNothing()) {
                for (int token = firstToken[node]; token != NONE; token = sameBytes[token]) {
                    fitting.set(token);
                }
                addFitting(expressions, after, node + 1, next[node], fitting);
            }
        }
    }
}
