package dev.weir.train;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * A page in the making that browsers read as HTML and any XML parser reads too: what is text stays text, whatever is in it,
 * and what is opened is closed. Owned by one thread.
 */
final class Markup {
    private final StringBuilder out = new StringBuilder("<!DOCTYPE html>\n");
    private final Deque<String> opened = new ArrayDeque<>();

    /**
     * Opens an element.
     *
     * @param attributes names and values in turn
     */
    Markup open(String tag, String... attributes) {
        tag(tag, attributes).append('>');
        opened.push(tag);
        return this;
    }

    /** Closes the element opened last. */
    Markup close() {
        out.append("</").append(opened.pop()).append(">\n");
        return this;
    }

    /** An element with nothing but text in it. */
    Markup leaf(String tag, String text, String... attributes) {
        return open(tag, attributes).text(text).close();
    }

    /** An element that never has anything in it: a part of a drawing, or one that HTML knows as such. */
    Markup empty(String tag, String... attributes) {
        tag(tag, attributes).append("/>\n");
        return this;
    }

    Markup text(String text) {
        escape(text, false);
        return this;
    }

    private StringBuilder tag(String tag, String... attributes) {
        out.append('<').append(tag);
        for (int i = 0; i < attributes.length; i += 2) {
            out.append(' ').append(attributes[i]).append("=\"");
            escape(attributes[i + 1], true);
            out.append('"');
        }
        return out;
    }

    /** Quotes stay as they are outside attributes: a style, whose text HTML takes as it is, has some. */
    private void escape(String text, boolean isAttribute) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '&' -> out.append("&amp;");
                case '"' -> out.append(isAttribute ? "&quot;" : "\"");
                default -> out.appendCodePoint(isAllowed(c) ? c : 0xFFFD);
            }
        });
    }

    /** What XML has no way to write: control characters, and halves of pairs. */
    private static boolean isAllowed(int c) {
        return c == '\t'
                || c == '\n'
                || c == '\r'
                || (c >= 0x20 && c < 0x7F)
                || (c >= 0xA0 && c <= 0xD7FF)
                || (c >= 0xE000 && c <= 0xFFFD)
                || c >= 0x10000;
    }

    /** The whole page. */
    @Override
    public String toString() {
        if (!opened.isEmpty()) {
            throw new IllegalStateException("still open: " + opened);
        }
        return out.toString();
    }
}
