package dev.weir.tokenizer;

/**
 * Decodes UTF-8 that comes in pieces cut anywhere. Owned by one thread.
 *
 * <p>Characters come out whole. Bytes that are no UTF-8 become U+FFFD, one for each longest run that could have begun a
 * character ("maximal subpart", Unicode 16 section 3.9), as in Hugging Face's decoders.
 */
final class Utf8Decoder {
    static final char REPLACEMENT = 0xFFFD;

    private int point; // the bits of the character begun
    private int missing; // its bytes still to come
    private int lower = 0x80; // what the next of them may be
    private int upper = 0xBF;

    /** The text of bytes that are all there. */
    static String decode(byte[] bytes) {
        Utf8Decoder decoder = new Utf8Decoder();
        StringBuilder text = new StringBuilder(bytes.length);
        decoder.accept(bytes, text);
        decoder.finish(text);
        return text.toString();
    }

    /** Appends the characters that the bytes complete. */
    void accept(byte[] bytes, StringBuilder out) {
        for (byte b : bytes) {
            int value = b & 0xFF;
            if (missing > 0 && (value < lower || value > upper)) {
                missing = 0;
                out.append(REPLACEMENT);
            }
            if (missing > 0) {
                point = (point << 6) | (value & 0x3F);
                lower = 0x80;
                upper = 0xBF;
                if (--missing == 0) {
                    out.appendCodePoint(point);
                }
            } else {
                begin(value, out);
            }
        }
    }

    private void begin(int value, StringBuilder out) {
        lower = 0x80;
        upper = 0xBF;
        if (value < 0x80) {
            out.append((char) value);
        } else if (value >= 0xC2 && value <= 0xDF) {
            missing = 1;
            point = value & 0x1F;
        } else if (value >= 0xE0 && value <= 0xEF) {
            missing = 2;
            point = value & 0x0F;
            if (value == 0xE0) {
                lower = 0xA0; // no longer form than needed
            } else if (value == 0xED) {
                upper = 0x9F; // no surrogates
            }
        } else if (value >= 0xF0 && value <= 0xF4) {
            missing = 3;
            point = value & 0x07;
            if (value == 0xF0) {
                lower = 0x90; // no longer form than needed
            } else if (value == 0xF4) {
                upper = 0x8F; // nothing past U+10FFFF
            }
        } else {
            out.append(REPLACEMENT);
        }
    }

    /** Gives up on a character that is not complete. */
    void finish(StringBuilder out) {
        if (missing > 0) {
            missing = 0;
            out.append(REPLACEMENT);
        }
    }
}
