package dev.weir.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Text that knows which of its characters came from outside, such as what a user typed, and which a chat template wrote.
 * Immutable; any thread. Two are equal if their characters are.
 *
 * <p>Whatever is cut from a text or joined to another keeps its marks. A change that moves characters about, such as
 * upper-casing, marks its whole result if any of its input was marked: a mark may spread but is never lost.
 */
public final class MarkedText {
    /** Characters that a template may make; no conversation comes near it, so a template that makes more is broken. */
    private static final int MAX_RENDERED = 1 << 23;

    private static final int[] NONE = {};
    static final MarkedText EMPTY = trusted("");

    private final String value;
    private final int[] untrusted; // start and end of each part from outside, all of them ascending

    private MarkedText(String value, int[] untrusted) {
        this.value = value;
        this.untrusted = untrusted;
    }

    /** Text that may hold special tokens. */
    public static MarkedText trusted(String value) {
        return new MarkedText(value, NONE);
    }

    /** Text from outside. */
    public static MarkedText untrusted(String value) {
        return value.isEmpty() ? EMPTY : new MarkedText(value, new int[] {0, value.length()});
    }

    int length() {
        return value.length();
    }

    boolean isEmpty() {
        return value.isEmpty();
    }

    /** Whether none of the characters from {@code start} to before {@code end} came from outside. */
    boolean isTrusted(int start, int end) {
        int at = Arrays.binarySearch(untrusted, start);
        int passed = at >= 0 ? at + 1 : -at - 1; // starts and ends up to here: an odd count is inside a part
        return passed % 2 == 0 && (passed == untrusted.length || untrusted[passed] >= end);
    }

    MarkedText substring(int start, int end) {
        Builder part = new Builder();
        part.copy(this, start, end);
        return part.build();
    }

    MarkedText plus(MarkedText other) {
        return new Builder().append(this).append(other).build();
    }

    /** Text made of this one's characters in a way that does not tell which came from where. */
    MarkedText changedTo(String changed) {
        return untrusted.length == 0 ? trusted(changed) : untrusted(changed);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof MarkedText text && text.value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    /** The characters. */
    @Override
    public String toString() {
        return value;
    }

    /** Text in the making. Owned by one rendering. */
    static final class Builder {
        private final StringBuilder value = new StringBuilder();
        private final IntArray untrusted = new IntArray(16);

        Builder append(String text) {
            return append(trusted(text));
        }

        Builder append(MarkedText text) {
            if (value.length() + text.length() > MAX_RENDERED) {
                throw new JinjaError("the template makes a text of more than " + MAX_RENDERED + " characters");
            }
            copy(text, 0, text.length());
            return this;
        }

        private void copy(MarkedText text, int start, int end) {
            int shift = value.length() - start;
            value.append(text.value, start, end);
            for (int i = 0; i < text.untrusted.length; i += 2) {
                mark(Math.max(text.untrusted[i], start) + shift, Math.min(text.untrusted[i + 1], end) + shift);
            }
        }

        private void mark(int start, int end) {
            if (start >= end) {
                return;
            }
            if (untrusted.size > 0 && untrusted.values[untrusted.size - 1] == start) {
                untrusted.values[untrusted.size - 1] = end;
            } else {
                untrusted.add(start);
                untrusted.add(end);
            }
        }

        MarkedText build() {
            return new MarkedText(value.toString(), untrusted.toArray());
        }
    }
}
