package dev.weir.tokenizer;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Text to token ids and back, as a model's {@code tokenizer.json} says. Immutable after loading; any thread.
 *
 * <p>Reads the byte-level BPE family: GPT-2, Llama 3, Qwen 2 and their likes. Encoding takes the added tokens out of the text,
 * normalises the rest, cuts it into words by the file's patterns, and merges each word's bytes by rank ({@link Merger}). A
 * surrogate that lacks its other half is read as U+FFFD, since no UTF-8 stands for it; any other text comes back from {@link
 * #decode(int[])} as it was, up to the file's own normaliser and prefix space.
 *
 * <p>Special tokens are control tokens: user text that happens to spell one is encoded as ordinary text unless the caller asks
 * otherwise, so that a user cannot end a turn or open another. A file's {@code truncation} and {@code padding} are not
 * applied: prompts have the length that they have.
 */
public final class Tokenizer {
    private static final byte[] NO_BYTES = new byte[0];

    private final byte[][] bytesOfId;
    private final boolean[] special;
    private final Map<String, Integer> idOfToken;
    private final Bpe bpe;
    private final PreTokenizer preTokenizer;
    private final boolean composes;
    private final AddedTokens raw; // looked for in the text as it is
    private final AddedTokens normalized; // looked for after normalising
    private final int[] prefix;
    private final int[] suffix;
    private final Map<String, String> namedTokens;

    Tokenizer(TokenizerFile file) {
        bytesOfId = file.bytesOfId();
        special = file.special();
        idOfToken = file.idOfToken();
        bpe = file.bpe();
        preTokenizer = file.preTokenizer();
        composes = file.composes();
        raw = new AddedTokens(
                file.addedTokens().stream().filter(token -> !token.normalized()).toList());
        normalized = new AddedTokens(file.addedTokens().stream()
                .filter(AddedTokens.AddedToken::normalized)
                .toList());
        prefix = file.prefix();
        suffix = file.suffix();
        namedTokens = file.namedTokens();
    }

    /**
     * Loads {@code tokenizer.json} and, where there is one, {@code tokenizer_config.json} from a model folder.
     *
     * @throws IOException if a file is missing or cannot be read
     * @throws IllegalArgumentException if a file asks for something that is not supported, naming the file and the field
     */
    public static Tokenizer load(Path modelFolder) throws IOException {
        return new Tokenizer(TokenizerFile.read(modelFolder));
    }

    /** The ids of a text, in which special tokens are ordinary text. */
    public int[] encode(String text) {
        return encode(text, false);
    }

    /**
     * The ids of a text.
     *
     * @param parseSpecialTokens whether a special token written out in the text becomes that token: wrong for what a user typed
     */
    public int[] encode(String text, boolean parseSpecialTokens) {
        return encode(parseSpecialTokens ? MarkedText.trusted(text) : MarkedText.untrusted(text));
    }

    /** The ids of a rendered chat template: special tokens where the template wrote them, ordinary text where users did. */
    public int[] encode(MarkedText text) {
        Bpe.Encoder encoder = bpe.encoder();
        int done = 0;
        AddedTokens.Match match;
        while ((match = raw.find(text, done, text.length())) != null) {
            encodeSegment(text, done, match.start(), encoder);
            encoder.out.add(match.token().id());
            done = match.end();
        }
        encodeSegment(text, done, text.length(), encoder);
        return encoder.out.toArray();
    }

    private void encodeSegment(MarkedText whole, int start, int end, Bpe.Encoder encoder) {
        MarkedText text = whole;
        int done = start;
        int stop = end;
        if (composes && start < end) {
            MarkedText segment = whole.substring(start, end);
            if (!Normalizer.isNormalized(segment.toString(), Normalizer.Form.NFC)) {
                // where users' characters are is lost by it, so then the whole segment counts as theirs
                text = segment.changedTo(Normalizer.normalize(segment.toString(), Normalizer.Form.NFC));
                done = 0;
                stop = text.length();
            }
        }
        AddedTokens.Match match;
        while ((match = normalized.find(text, done, stop)) != null) {
            preTokenizer.words(text.toString(), done, match.start(), encoder);
            encoder.out.add(match.token().id());
            done = match.end();
        }
        preTokenizer.words(text.toString(), done, stop, encoder);
    }

    /**
     * The ids with what the file's {@code post_processor} puts around a single text: the beginning-of-text token of a Llama 3,
     * nothing for a GPT-2. A rendered chat template brings its own.
     */
    public int[] withFrame(int[] ids) {
        int[] framed = new int[prefix.length + ids.length + suffix.length];
        System.arraycopy(prefix, 0, framed, 0, prefix.length);
        System.arraycopy(ids, 0, framed, prefix.length, ids.length);
        System.arraycopy(suffix, 0, framed, prefix.length + ids.length, suffix.length);
        return framed;
    }

    /** The text of the ids without the special tokens; bytes that are no UTF-8 become U+FFFD. */
    public String decode(int[] ids) {
        return decode(ids, false);
    }

    /**
     * The text of the ids. Bytes that are no UTF-8 become U+FFFD, one for each longest beginning of a character. An id that the
     * vocabulary does not have, which a model with a padded output layer may produce, stands for nothing.
     *
     * @param showSpecialTokens whether special tokens are written out
     * @throws IllegalArgumentException if an id is negative
     */
    public String decode(int[] ids, boolean showSpecialTokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(ids.length * 4);
        for (int id : ids) {
            bytes.writeBytes(shownBytes(id, showSpecialTokens));
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        // the JDK replaces some broken sequences (ED BF, say) otherwise than Unicode recommends and streaming does
        return text.indexOf(Utf8Decoder.REPLACEMENT) < 0 ? text : Utf8Decoder.decode(bytes.toByteArray());
    }

    /** What an id adds to a decoded text; not to be changed. */
    byte[] shownBytes(int id, boolean showSpecialTokens) {
        return showSpecialTokens || !isSpecial(id) ? stored(id) : NO_BYTES;
    }

    /** A copy of the bytes that an id stands for; none for an id that the vocabulary does not have. */
    public byte[] bytes(int id) {
        return stored(id).clone();
    }

    private byte[] stored(int id) {
        if (id < 0) {
            throw new IllegalArgumentException("token id " + id + " is negative");
        }
        return id < bytesOfId.length ? bytesOfId[id] : NO_BYTES;
    }

    /** One more than the largest id. Ids below it may be unused in some files. */
    public int vocabularySize() {
        return bytesOfId.length;
    }

    /** Whether an id is that of a special token. */
    public boolean isSpecial(int id) {
        return id >= 0 && id < special.length && special[id];
    }

    /** The id of a token as the file spells it: an added token's text, or a word in the alphabet of {@link ByteLevel}. */
    public OptionalInt id(String token) {
        Integer id = idOfToken.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The end-of-sequence token that {@code tokenizer_config.json} names. */
    public OptionalInt eosId() {
        return namedId("eos_token");
    }

    /** The beginning-of-sequence token that {@code tokenizer_config.json} names. */
    public OptionalInt bosId() {
        return namedId("bos_token");
    }

    private OptionalInt namedId(String role) {
        String token = namedTokens.get(role);
        return token == null ? OptionalInt.empty() : id(token);
    }
}
