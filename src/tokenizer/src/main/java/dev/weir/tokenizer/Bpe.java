package dev.weir.tokenizer;

import java.util.Map;

/** A byte-level BPE model: the ids of one word at a time. Immutable after construction but for its cache; any thread. */
final class Bpe {
    private final int[] idOfByte; // 256; -1 for bytes that UTF-8 never has
    private final MergeTable merges;
    private final Map<String, Integer> wholeWords;
    private final int longestWholeWord;
    private final WordCache cache = new WordCache();

    /**
     * @param wholeWords entries, in the alphabet of {@link ByteLevel}, that are looked up before any merging; empty unless
     *     the model says {@code ignore_merges}
     */
    Bpe(int[] idOfByte, MergeTable merges, Map<String, Integer> wholeWords) {
        this.idOfByte = idOfByte;
        this.merges = merges;
        this.wholeWords = wholeWords;
        longestWholeWord =
                wholeWords.keySet().stream().mapToInt(String::length).max().orElse(0);
    }

    Encoder encoder() {
        return new Encoder();
    }

    /** One call's use of the model, with buffers of its own. Owned by one call. */
    final class Encoder {
        final IntArray out = new IntArray(64);
        private final Merger merger = new Merger(merges);
        private byte[] bytes = new byte[256];
        private int[] symbols = new int[256];

        /** Appends the ids of the word {@code text[start, end)}. */
        void word(String text, int start, int end) {
            boolean cached = end - start <= WordCache.MAX_CHARS;
            if (cached) {
                int[] known = cache.get(text, start, end);
                if (known != null) {
                    out.addAll(known, known.length);
                    return;
                }
            }
            int from = out.size;
            encode(text, start, end);
            if (cached) {
                int[] ids = new int[out.size - from];
                System.arraycopy(out.values, from, ids, 0, ids.length);
                cache.put(text, start, end, ids);
            }
        }

        private void encode(String text, int start, int end) {
            if ((end - start) > bytes.length / 3) {
                bytes = new byte[Math.multiplyExact(end - start, 3)];
                symbols = new int[bytes.length];
            }
            int count = utf8(text, start, end);
            if (count <= longestWholeWord) {
                Integer id = wholeWords.get(alphabet(count));
                if (id != null) {
                    out.add(id);
                    return;
                }
            }
            for (int i = 0; i < count; i++) {
                symbols[i] = idOfByte[bytes[i] & 0xFF];
            }
            out.addAll(symbols, merger.merge(symbols, count));
        }

        private String alphabet(int count) {
            char[] chars = new char[count];
            for (int i = 0; i < count; i++) {
                chars[i] = ByteLevel.charOf(bytes[i]);
            }
            return new String(chars);
        }

        /** Writes UTF-8 into the buffer; a surrogate without its other half becomes U+FFFD. */
        private int utf8(String text, int start, int end) {
            int count = 0;
            for (int i = start; i < end; i++) {
                int c = text.charAt(i);
                if (c < 0x80) {
                    bytes[count++] = (byte) c;
                    continue;
                }
                if (c < 0x800) {
                    bytes[count++] = (byte) (0xC0 | (c >> 6));
                    bytes[count++] = (byte) (0x80 | (c & 0x3F));
                    continue;
                }
                if (Character.isSurrogate((char) c)) {
                    if (Character.isHighSurrogate((char) c)
                            && i + 1 < end
                            && Character.isLowSurrogate(text.charAt(i + 1))) {
                        int point = Character.toCodePoint((char) c, text.charAt(++i));
                        bytes[count++] = (byte) (0xF0 | (point >> 18));
                        bytes[count++] = (byte) (0x80 | ((point >> 12) & 0x3F));
                        bytes[count++] = (byte) (0x80 | ((point >> 6) & 0x3F));
                        bytes[count++] = (byte) (0x80 | (point & 0x3F));
                        continue;
                    }
                    c = 0xFFFD;
                }
                bytes[count++] = (byte) (0xE0 | (c >> 12));
                bytes[count++] = (byte) (0x80 | ((c >> 6) & 0x3F));
                bytes[count++] = (byte) (0x80 | (c & 0x3F));
            }
            return count;
        }
    }
}
