package dev.weir.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The alphabet and the word splitter of byte-level BPE as GPT-2 introduced them (Radford et al. 2019). Any thread.
 *
 * <p>A {@code tokenizer.json} stores byte sequences as text: each of the 256 bytes has one printable character. Bytes that
 * are printable in Latin-1 stand for themselves; the other 68 take the code points from U+0100 up, in byte order, so that a
 * space is U+0120.
 */
public final class ByteLevel {
    private static final char FIRST_STAND_IN = 0x100;
    private static final char[] CHAR_OF_BYTE = charOfByte();
    private static final short[] BYTE_OF_CHAR = byteOfChar();

    private static final Pattern GPT2_WORDS =
            compile("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+");

    private ByteLevel() {}

    /** GPT-2's word splitter: consecutive finds cover every character of a text. */
    public static Pattern gpt2Words() {
        return GPT2_WORDS;
    }

    /** A pattern with Unicode's meaning of white space, letters and case, as tokenizer files mean theirs. */
    static Pattern compile(String regex) {
        return Pattern.compile(regex, Pattern.UNICODE_CHARACTER_CLASS);
    }

    /** The character that stands for a byte; only the low eight bits of {@code value} count. */
    public static char charOf(int value) {
        return CHAR_OF_BYTE[value & 0xFF];
    }

    /** The byte, 0 to 255, that a character stands for, or -1 where it stands for none. */
    public static int byteOf(char character) {
        return character < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[character] : -1;
    }

    /** The bytes written as text, one character each. */
    public static String textOf(byte[] bytes) {
        char[] text = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            text[i] = charOf(bytes[i]);
        }
        return new String(text);
    }

    /** The bytes that a text of the alphabet stands for, or null where one of its characters stands for none. */
    public static byte @Nullable [] bytesOf(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            int value = byteOf(text.charAt(i));
            if (value < 0) {
                return null;
            }
            bytes[i] = (byte) value;
        }
        return bytes;
    }

    /** What a vocabulary entry stands for: bytes of the alphabet, or its own UTF-8 where it is not written in it. */
    static byte[] bytesOfToken(String token) {
        byte[] bytes = bytesOf(token);
        return bytes != null ? bytes : token.getBytes(StandardCharsets.UTF_8);
    }

    private static char[] charOfByte() {
        char[] chars = new char[256];
        char standIn = FIRST_STAND_IN;
        for (int value = 0; value < chars.length; value++) {
            boolean printable = (value >= '!' && value <= '~') || (value >= 0xA1 && value != 0xAD);
            chars[value] = printable ? (char) value : standIn++;
        }
        return chars;
    }

    private static short[] byteOfChar() {
        char last = 0;
        for (char c : CHAR_OF_BYTE) {
            last = c > last ? c : last;
        }
        short[] bytes = new short[last + 1];
        Arrays.fill(bytes, (short) -1);
        for (int value = 0; value < CHAR_OF_BYTE.length; value++) {
            bytes[CHAR_OF_BYTE[value]] = (short) value;
        }
        return bytes;
    }
}
