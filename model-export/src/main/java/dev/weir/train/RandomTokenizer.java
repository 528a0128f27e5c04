package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.SequencedSet;

/**
 * A tokenizer for a model with random weights: any vocabulary size, no training data. Static functions; any thread.
 *
 * <p>The vocabulary is the 256 bytes, then letter sequences in alphabetical order made by merging one letter at a time,
 * with or without a leading space, then the end-of-text token. So each id stands for something that can be shown, and any
 * text can be encoded.
 */
final class RandomTokenizer {
    private static final int BYTES = 256;
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz";

    private RandomTokenizer() {}

    /** Id of the end-of-text token: the last one. */
    static int endOfText(int vocabularySize) {
        return vocabularySize - 1;
    }

    /** A {@code tokenizer.json} with exactly so many tokens. */
    static String json(int vocabularySize) {
        if (vocabularySize <= BYTES) {
            throw new IllegalArgumentException("vocabulary size is " + vocabularySize
                    + ": a byte-level tokenizer needs at least 257, 256 bytes and the end of text");
        }
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("version", "1.0").putNull("truncation").putNull("padding");
        ObjectNode end = root.putArray("added_tokens").addObject();
        end.put("id", endOfText(vocabularySize)).put("content", TrainingData.END_OF_TEXT);
        end.put("single_word", false).put("lstrip", false).put("rstrip", false);
        end.put("normalized", false).put("special", true);
        root.putNull("normalizer");
        root.set("pre_tokenizer", byteLevel(root));
        root.set("post_processor", byteLevel(root));
        root.set("decoder", byteLevel(root));
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE").putNull("dropout").putNull("unk_token");
        model.put("fuse_unk", false).put("byte_fallback", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int b = 0; b < BYTES; b++) {
            vocabulary.put(byteToken(b), b);
        }
        ArrayNode merges = model.putArray("merges");
        for (String word : words(vocabularySize - BYTES - 1)) {
            vocabulary.put(word, vocabulary.size());
            int last = word.length() - 1;
            merges.add(word.substring(0, last) + " " + word.substring(last));
        }
        vocabulary.put(TrainingData.END_OF_TEXT, endOfText(vocabularySize));
        return root.toString();
    }

    /** The {@code tokenizer_config.json} to go with it. */
    static String config(int context) {
        return new ObjectMapper()
                .createObjectNode()
                .put("tokenizer_class", "GPT2Tokenizer")
                .put("add_prefix_space", false)
                .put("bos_token", TrainingData.END_OF_TEXT)
                .put("eos_token", TrainingData.END_OF_TEXT)
                .put("unk_token", TrainingData.END_OF_TEXT)
                .put("model_max_length", context)
                .toPrettyString();
    }

    private static ObjectNode byteLevel(ObjectNode root) {
        ObjectNode node = root.objectNode();
        return node.put("type", "ByteLevel")
                .put("add_prefix_space", false)
                .put("trim_offsets", true)
                .put("use_regex", true);
    }

    /** The first so many words, shorter ones first; each is an earlier word and one letter more. */
    private static SequencedSet<String> words(int count) {
        SequencedSet<String> words = new LinkedHashSet<>();
        SequencedSet<String> shorter = new LinkedHashSet<>();
        shorter.add(byteToken(' '));
        LETTERS.chars().forEach(letter -> shorter.add(Character.toString(letter)));
        while (words.size() < count) {
            SequencedSet<String> longer = new LinkedHashSet<>();
            for (String word : shorter) {
                for (int i = 0; i < LETTERS.length() && words.size() < count; i++) {
                    longer.add(word + LETTERS.charAt(i));
                    words.add(word + LETTERS.charAt(i));
                }
            }
            shorter.clear();
            shorter.addAll(longer);
        }
        return words;
    }

    /**
     * How byte-level tokenizers write a byte in JSON: itself where it is a visible character, else the character 256 + n
     * for the n-th invisible one (Radford et al., 2019).
     */
    private static String byteToken(int b) {
        return Character.toString(isVisible(b) ? b : BYTES + invisibleBefore(b));
    }

    private static int invisibleBefore(int b) {
        int count = 0;
        for (int i = 0; i < b; i++) {
            if (!isVisible(i)) {
                count++;
            }
        }
        return count;
    }

    private static boolean isVisible(int b) {
        return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    }
}
