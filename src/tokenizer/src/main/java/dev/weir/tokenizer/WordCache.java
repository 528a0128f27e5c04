package dev.weir.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Remembers the token ids of words met lately. Any thread, without locks: each slot holds one immutable entry and a race
 * costs at most a word encoded twice. Bounded by its slots and by the length of the words it takes, a few megabytes at most;
 * a word's slot comes from its hash and a newer word takes it over.
 */
final class WordCache {
    static final int MAX_CHARS = 32;

    @SuppressWarnings("ArrayRecordComponent") // read, never compared
    private record Entry(String word, int[] ids) {}

    private final @Nullable Entry[] entries = new @Nullable Entry[1 << 14];

    /** The ids of {@code text[start, end)}, not to be changed, or null where they are not remembered. */
    int @Nullable [] get(String text, int start, int end) {
        Entry entry = entries[slot(text, start, end)];
        if (entry == null
                || entry.word.length() != end - start
                || !text.regionMatches(start, entry.word, 0, end - start)) {
            return null;
        }
        return entry.ids;
    }

    void put(String text, int start, int end, int[] ids) {
        entries[slot(text, start, end)] = new Entry(text.substring(start, end), ids);
    }

    private int slot(String text, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        hash *= 0x9E3779B9;
        return (hash ^ (hash >>> 16)) & (entries.length - 1);
    }
}
