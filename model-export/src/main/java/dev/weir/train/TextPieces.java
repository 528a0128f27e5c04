package dev.weir.train;

import java.io.IOException;
import java.nio.CharBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Plain text in pieces whose tokens, one piece after the other, are those of the whole. Owned by one thread.
 *
 * <p>A piece ends before the last space, or after the last line break, between two words at which the {@link Seam} holds. Text
 * that has no such place for a long way, which no writing has, is cut where it is.
 */
final class TextPieces implements DataPieces {
    private static final int USUAL_CHARS = 1 << 20;
    private static final int MOST_CHARS = 1 << 24;
    private static final int NEIGHBOURHOOD = 128;
    private static final int TRIES = 64;

    private final Utf8Reader reader;
    private final Seam seam;
    private final int usual;
    private final int most;
    private final StringBuilder ahead = new StringBuilder();

    TextPieces(Utf8Reader reader, Seam seam) {
        this(reader, seam, USUAL_CHARS, MOST_CHARS);
    }

    /**
     * Pieces of other sizes.
     *
     * @param usual characters of a piece where there are places to cut
     * @param most characters of a piece where there are none
     */
    TextPieces(Utf8Reader reader, Seam seam, int usual, int most) {
        this.reader = reader;
        this.seam = seam;
        this.usual = usual;
        this.most = most;
    }

    @Override
    public @Nullable String next() throws IOException {
        int wanted = usual;
        while (true) {
            fill(wanted + NEIGHBOURHOOD);
            if (ahead.length() <= wanted) {
                return ahead.isEmpty() ? null : take(ahead.length());
            }
            int cut = lastCut(wanted);
            if (cut > 0) {
                return take(cut);
            }
            if (wanted >= most) {
                return take(Character.isLowSurrogate(ahead.charAt(wanted)) ? wanted + 1 : wanted);
            }
            wanted = Math.min(2 * wanted, most);
        }
    }

    private void fill(int length) throws IOException {
        CharBuffer chars;
        while (ahead.length() < length && (chars = reader.next()) != null) {
            ahead.append(chars);
        }
    }

    private String take(int length) {
        String piece = ahead.substring(0, length);
        ahead.delete(0, length);
        return piece;
    }

    /** The last good place in the second half of so many characters, or 0. */
    private int lastCut(int length) {
        int tries = 0;
        for (int at = length; at > length / 2 && tries < TRIES; at--) {
            if (isBetweenWords(at)) {
                tries++;
                String left = ahead.substring(Math.max(0, at - NEIGHBOURHOOD), at);
                String right = ahead.substring(at, Math.min(ahead.length(), at + NEIGHBOURHOOD));
                if (seam.holds(left, right)) {
                    return at;
                }
            }
        }
        return 0;
    }

    /** One space or line break alone, since a tokenizer may make one token of several. */
    private boolean isBetweenWords(int at) {
        boolean beforeSpace =
                ahead.charAt(at) == ' ' && !isSpace(at - 1) && at + 1 < ahead.length() && !isSpace(at + 1);
        boolean afterBreak = ahead.charAt(at - 1) == '\n' && at >= 2 && !isSpace(at - 2) && !isSpace(at);
        return beforeSpace || afterBreak;
    }

    private boolean isSpace(int at) {
        char c = ahead.charAt(at);
        return Character.isWhitespace(c) || Character.isSpaceChar(c);
    }

    @Override
    public long position() {
        return reader.position();
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
