package dev.weir.tokenizer;

import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the tokens that are matched as they are written, before any splitting: the leftmost one, and of those that begin at
 * one place the longest. Special ones are found only in text that did not come from outside. A trie over their characters;
 * immutable after construction, any thread.
 */
final class AddedTokens {
    /**
     * One entry of a file's {@code added_tokens}.
     *
     * @param special marks control tokens, which user text must not be able to produce
     * @param singleWord matches only where no word character touches it
     * @param stripLeft takes the white space before it along
     * @param stripRight takes the white space after it along
     * @param normalized is looked for in the normalised text rather than in the text as given
     */
    record AddedToken(
            int id,
            String content,
            boolean special,
            boolean singleWord,
            boolean stripLeft,
            boolean stripRight,
            boolean normalized) {}

    record Match(int start, int end, AddedToken token) {}

    private static final class Node {
        final Map<Character, Node> next = new HashMap<>();

        @Nullable
        AddedToken token;
    }

    private final Node root = new Node();

    AddedTokens(Collection<AddedToken> tokens) {
        for (AddedToken token : tokens) {
            Node node = root;
            for (int i = 0; i < token.content.length(); i++) {
                node = node.next.computeIfAbsent(token.content.charAt(i), _ -> new Node());
            }
            node.token = token;
        }
    }

    /** The first match that begins in {@code text[from, end)}, or null. */
    @Nullable
    Match find(MarkedText marked, int from, int end) {
        if (root.next.isEmpty()) {
            return null;
        }
        String text = marked.toString();
        int at = from;
        while (at < end) {
            AddedToken token = longestAt(marked, at, end);
            if (token == null) {
                at++;
                continue;
            }
            int stop = at + token.content.length();
            if (token.singleWord && (isWord(text, at - 1) || isWord(text, stop))) {
                at = stop;
                continue;
            }
            int start = at;
            while (token.stripLeft && start > from && isWhitespace(text.charAt(start - 1))) {
                start--;
            }
            while (token.stripRight && stop < end && isWhitespace(text.charAt(stop))) {
                stop++;
            }
            return new Match(start, stop, token);
        }
        return null;
    }

    private @Nullable AddedToken longestAt(MarkedText marked, int at, int end) {
        String text = marked.toString();
        AddedToken longest = null;
        Node node = root.next.get(text.charAt(at));
        for (int i = at + 1; node != null; i++) {
            if (node.token != null && (!node.token.special || marked.isTrusted(at, i))) {
                longest = node.token;
            }
            node = i < end ? node.next.get(text.charAt(i)) : null;
        }
        return longest;
    }

    private static boolean isWord(String text, int index) {
        return index >= 0
                && index < text.length()
                && (Character.isLetterOrDigit(text.charAt(index)) || text.charAt(index) == '_');
    }

    private static boolean isWhitespace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }
}
