package dev.weir.tokenizer;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tokens of one generation into text as they come, as far as the text may be shown. Owned by one thread.
 *
 * <p>Two things are held back: bytes that begin a character whose end has not come, and the longest end of the text that could
 * be the beginning of a stop string. What was returned, put together, is therefore always a beginning of
 * {@link Tokenizer#decode(int[])} of all tokens, and after {@link #finish()} all of it, or all before the first stop string. The
 * first stop string is the one whose last character comes first; of two that end together the longer. Where tokens are cut
 * makes no difference. A token costs time in proportion to its own bytes, whatever came before.
 */
public final class IncrementalDetokenizer {
    private final Tokenizer tokenizer;
    private final boolean includeStop;
    private final boolean showSpecialTokens;
    private final Utf8Decoder decoder = new Utf8Decoder();
    private final StopStrings stops;
    private final StringBuilder decoded = new StringBuilder(); // one token's text
    private final StringBuilder pending =
            new StringBuilder(); // text from the first character that may still be held back
    private int shown; // characters of pending that were returned
    private @Nullable String matchedStop;
    private boolean finished;
    private int decodedLength;

    /** Without the stop string and without special tokens in the text. */
    public IncrementalDetokenizer(Tokenizer tokenizer, List<String> stops) {
        this(tokenizer, stops, false, false);
    }

    /**
     * @param stops texts that end the generation, none of them empty; there may be none
     * @param includeStop whether the stop string itself is part of the text
     * @param showSpecialTokens whether special tokens are written out and can be part of a stop string
     * @throws IllegalArgumentException if a stop string is empty or not whole characters, naming its place
     */
    public IncrementalDetokenizer(
            Tokenizer tokenizer, List<String> stops, boolean includeStop, boolean showSpecialTokens) {
        this.tokenizer = tokenizer;
        this.includeStop = includeStop;
        this.showSpecialTokens = showSpecialTokens;
        this.stops = new StopStrings(stops);
    }

    /**
     * Takes the next token and returns the text that may now be shown, often empty; always empty once stopped.
     *
     * @throws IllegalStateException after {@link #finish()}
     */
    public String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("token " + tokenId + " came after finish()");
        }
        if (matchedStop != null) {
            return "";
        }
        decoder.accept(tokenizer.shownBytes(tokenId, showSpecialTokens), decoded);
        search();
        return matchedStop == null ? show(pending.length() - stops.held()) : show(pending.length());
    }

    /** Returns what was held back: the generation has ended otherwise than by a stop string. Empty when called again. */
    public String finish() {
        if (finished || matchedStop != null) {
            finished = true;
            return "";
        }
        finished = true;
        decoder.finish(decoded);
        search();
        return show(pending.length());
    }

    /** Characters of the text so far, shown or not: where the next token's begin. */
    public int decodedLength() {
        return decodedLength;
    }

    /** Whether a stop string has come. */
    public boolean isStopped() {
        return matchedStop != null;
    }

    /** The stop string that has come, or null. */
    public @Nullable String matchedStop() {
        return matchedStop;
    }

    /** Moves the decoded characters to the pending ones, up to a stop string. */
    private void search() {
        for (int i = 0; i < decoded.length() && matchedStop == null; i++) {
            pending.append(decoded.charAt(i));
            decodedLength++;
            matchedStop = stops.accept(decoded.charAt(i));
        }
        decoded.setLength(0);
        if (matchedStop != null && !includeStop) {
            pending.setLength(pending.length() - matchedStop.length());
        }
    }

    private String show(int end) {
        String text = pending.substring(shown, end);
        shown = end;
        if (shown > pending.length() / 2) {
            pending.delete(0, shown);
            shown = 0;
        }
        return text;
    }
}
