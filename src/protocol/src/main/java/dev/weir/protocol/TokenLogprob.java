package dev.weir.protocol;

import java.util.List;

/**
 * How likely a token of an answer was. Immutable; any thread.
 *
 * @param token its text; bytes that are no whole character are written out as {@code \\xNN}
 * @param logprob natural logarithm of its probability
 * @param bytes its bytes in UTF-8, 0 to 255
 * @param textOffset characters (code points) of the answer before it
 * @param top the most likely tokens in its place, most likely first; these have no others of their own
 */
public record TokenLogprob(String token, double logprob, List<Integer> bytes, int textOffset, List<TokenLogprob> top) {
    public TokenLogprob {
        bytes = List.copyOf(bytes);
        top = List.copyOf(top);
    }
}
