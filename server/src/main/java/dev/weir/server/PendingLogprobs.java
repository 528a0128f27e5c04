package dev.weir.server;

import dev.weir.engine.TokenLogprobs;
import dev.weir.protocol.TokenLogprob;
import dev.weir.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;

/**
 * The log-probabilities of one generation's tokens, each kept until the text of its token is handed on: so it is told with
 * the very delta in which that text begins, once, and never for a token that a stop string cut away. Owned by the context
 * of its connection.
 */
final class PendingLogprobs {
    private final Tokenizer tokenizer;
    private final Deque<Held> held = new ArrayDeque<>();
    private int handedOn; // characters, of which a surrogate pair counts two
    private int handedOnCodePoints;

    /** A token whose text begins, or would begin, after so many characters. */
    private record Held(int token, TokenLogprobs logprobs, int begin) {}

    PendingLogprobs(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** Takes a token; {@code begin} is the length of the text before it. */
    void add(int token, TokenLogprobs logprobs, int begin) {
        held.add(new Held(token, logprobs, begin));
    }

    /** The last token ended the text and is told only if it added to it, to all of {@code length} characters. */
    void dropSilentEnd(int length) {
        if (!held.isEmpty() && held.getLast().begin() >= length) {
            held.removeLast();
        }
    }

    /**
     * Those of the tokens whose text begins in this delta.
     *
     * @param isAll whether the others are told too, because no text will follow
     */
    List<TokenLogprob> release(String delta, boolean isAll) {
        List<TokenLogprob> released = new ArrayList<>();
        while (!held.isEmpty() && (isAll || held.getFirst().begin() < handedOn + delta.length())) {
            Held next = held.removeFirst();
            int inDelta = Math.min(next.begin() - handedOn, delta.length());
            released.add(told(next, handedOnCodePoints + delta.codePointCount(0, inDelta)));
        }
        handedOn += delta.length();
        handedOnCodePoints += delta.codePointCount(0, delta.length());
        return released;
    }

    private TokenLogprob told(Held token, int offset) {
        TokenLogprobs logprobs = token.logprobs();
        List<TokenLogprob> top = new ArrayList<>(logprobs.topTokens().length);
        for (int i = 0; i < logprobs.topTokens().length; i++) {
            top.add(told(logprobs.topTokens()[i], logprobs.topLogprobs()[i], offset, List.of()));
        }
        return told(token.token(), logprobs.logprob(), offset, top);
    }

    private TokenLogprob told(int token, float logprob, int offset, List<TokenLogprob> top) {
        byte[] bytes = tokenizer.bytes(token);
        List<Integer> values = new ArrayList<>(bytes.length);
        for (byte value : bytes) {
            values.add(Byte.toUnsignedInt(value));
        }
        return new TokenLogprob(text(bytes), logprob, values, offset, top);
    }

    /** The bytes as text, or written out if they are not whole characters. */
    private static String text(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException _) {
            return HexFormat.of().withPrefix("\\x").formatHex(bytes);
        }
    }
}
