package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.tokenizer.ByteLevel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Trains a byte-level BPE vocabulary from text (Sennrich et al. 2016, over GPT-2's bytes and words). Owned by one call; the
 * same text gives the same vocabulary on every machine.
 *
 * <p>The text is cut into words, each distinct word is kept once with its count, and the most frequent pair of neighbouring
 * symbols becomes one new symbol, over and over. Two indexes make a merge cost what it changes and not what the text holds:
 * every pair's count and the words it was seen in, and a heap of pairs by count. Counts that fell since a pair entered the heap
 * are noticed when it comes up, and the pair goes back with its present count. Of equal counts the pair with the lower ids
 * wins, the left one first.
 */
public final class BpeTrainer {
    private static final int BYTES = 256;
    private static final int[] BYTE_OF_ID = IntStream.range(0, BYTES)
            .boxed()
            .sorted(Comparator.comparingInt(ByteLevel::charOf))
            .mapToInt(Integer::intValue)
            .toArray();

    /** A distinct word: its symbols, {@code symbols[0, length)}, and how often the text has it. */
    private static final class Word {
        final int[] symbols;
        final long count;
        int length;

        Word(int[] symbols, long count) {
            this.symbols = symbols;
            this.count = count;
            this.length = symbols.length;
        }
    }

    /** How often a pair occurs now, and every word that has or once had it. */
    private static final class Pair {
        final long key;
        final IntList words = new IntList();
        long count;

        Pair(long key) {
            this.key = key;
        }
    }

    /** Ints in the order they came, without immediate repetitions. */
    private static final class IntList {
        int[] values = new int[4];
        int size;

        void add(int value) {
            if (size > 0 && values[size - 1] == value) {
                return;
            }
            if (size == values.length) {
                values = Arrays.copyOf(values, size * 2);
            }
            values[size++] = value;
        }
    }

    private record Candidate(long key, long count) {}

    private final List<Word> words = new ArrayList<>();
    private final Map<Long, Pair> pairs = new HashMap<>();
    private final PriorityQueue<Candidate> candidates = new PriorityQueue<>(
            Comparator.comparingLong(Candidate::count).reversed().thenComparingLong(Candidate::key));

    private BpeTrainer() {}

    /**
     * Trains on one text.
     *
     * @param vocabularySize how many ids to make: 256 bytes, then merges, then the special tokens
     * @param specialTokens tokens that are matched whole and never merged, with the last ids in this order; the first one ends
     *     a text (its end-of-sequence token)
     * @throws IllegalArgumentException if the size leaves no room for the bytes and the special tokens, or a special token is
     *     empty or given twice
     */
    public static Vocabulary train(CharSequence text, int vocabularySize, List<String> specialTokens) {
        return train(List.of(text), vocabularySize, specialTokens, WordCut.GPT2);
    }

    /** Trains on several texts, none of whose words reaches into the next; otherwise as for one. */
    static Vocabulary train(
            Iterable<? extends CharSequence> texts, int vocabularySize, List<String> specialTokens, WordCut cut) {
        check(vocabularySize, specialTokens);
        BpeTrainer trainer = new BpeTrainer();
        trainer.count(texts, specialTokens, cut);
        List<int[]> merges = trainer.merge(vocabularySize - BYTES - specialTokens.size());
        return new Vocabulary(merges, List.copyOf(specialTokens), vocabularySize, cut);
    }

    private static void check(int vocabularySize, List<String> specialTokens) {
        if (vocabularySize < BYTES + specialTokens.size()) {
            throw new IllegalArgumentException(
                    "a vocabulary of " + vocabularySize + " ids has no room for 256 bytes and " + specialTokens.size()
                            + " special tokens: ask for at least " + (BYTES + specialTokens.size()));
        }
        if (specialTokens.contains("") || new HashSet<>(specialTokens).size() != specialTokens.size()) {
            throw new IllegalArgumentException(
                    "special tokens must be distinct and not empty, but are " + specialTokens);
        }
    }

    /** Finds the distinct words and the pairs in them. */
    private void count(Iterable<? extends CharSequence> texts, List<String> specialTokens, WordCut cut) {
        Map<String, Long> counts = new LinkedHashMap<>();
        Pattern special = anyOf(specialTokens);
        Matcher word = cut.pattern().matcher("");
        for (CharSequence text : texts) {
            for (CharSequence plain : special == null ? List.of(text) : List.of(special.split(text, -1))) {
                word.reset(plain);
                while (word.find()) {
                    counts.merge(word.group(), 1L, Long::sum);
                }
            }
        }
        int[] idOfByte = new int[BYTE_OF_ID.length];
        for (int id = 0; id < idOfByte.length; id++) {
            idOfByte[BYTE_OF_ID[id]] = id;
        }
        counts.forEach((text, count) -> {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            int[] symbols = new int[bytes.length];
            for (int i = 0; i < symbols.length; i++) {
                symbols[i] = idOfByte[bytes[i] & 0xFF];
            }
            words.add(new Word(symbols, count));
        });
        List<Pair> born = new ArrayList<>();
        for (int index = 0; index < words.size(); index++) {
            Word found = words.get(index);
            for (int i = 0; i + 1 < found.length; i++) {
                add(found.symbols[i], found.symbols[i + 1], index, found.count, born);
            }
        }
        offer(born);
    }

    private static @Nullable Pattern anyOf(List<String> tokens) {
        return tokens.isEmpty()
                ? null
                : Pattern.compile(tokens.stream()
                        .sorted(Comparator.comparingInt(String::length).reversed())
                        .map(Pattern::quote)
                        .collect(Collectors.joining("|")));
    }

    /** Makes up to {@code wanted} merges, each a pair of symbols, oldest first. */
    private List<int[]> merge(int wanted) {
        List<int[]> merges = new ArrayList<>(wanted);
        while (merges.size() < wanted) {
            Candidate candidate = candidates.poll();
            if (candidate == null) {
                break;
            }
            Pair pair = pairs.get(candidate.key);
            if (pair == null || pair.count <= 0) {
                continue;
            }
            if (pair.count != candidate.count) {
                candidates.add(new Candidate(pair.key, pair.count));
                continue;
            }
            int made = BYTES + merges.size();
            merges.add(new int[] {left(pair.key), right(pair.key)});
            replace(pair, made);
        }
        return merges;
    }

    /** Replaces a pair by the symbol made of it in every word that has it, keeping count of the pairs broken and made. */
    private void replace(Pair pair, int made) {
        int left = left(pair.key);
        int right = right(pair.key);
        List<Pair> born = new ArrayList<>();
        for (int w = 0; w < pair.words.size; w++) {
            int index = pair.words.values[w];
            Word word = words.get(index);
            int[] symbols = word.symbols;
            int kept = 0;
            int i = 0;
            while (i < word.length) {
                if (i + 1 == word.length || symbols[i] != left || symbols[i + 1] != right) {
                    symbols[kept++] = symbols[i++];
                    continue;
                }
                pair.count -= word.count;
                if (kept > 0) {
                    remove(symbols[kept - 1], left, word.count);
                    add(symbols[kept - 1], made, index, word.count, born);
                }
                if (i + 2 < word.length) {
                    remove(right, symbols[i + 2], word.count);
                    add(made, symbols[i + 2], index, word.count, born);
                }
                symbols[kept++] = made;
                i += 2;
            }
            word.length = kept;
        }
        if (pair.count != 0) {
            throw new IllegalStateException(
                    "pair " + left + "," + right + " is still counted " + pair.count + " times");
        }
        pairs.remove(pair.key);
        offer(born);
    }

    /**
     * Counts a pair in a word. A pair can only be met for the first time in the pass that makes the younger of its symbols,
     * and that pass takes each word once: so its list of words is complete after the pass and names no word twice.
     */
    private void add(int left, int right, int word, long count, List<Pair> born) {
        long key = ((long) left << 32) | right;
        Pair pair = pairs.get(key);
        if (pair == null) {
            pair = new Pair(key);
            pairs.put(key, pair);
            born.add(pair);
        }
        pair.count += count;
        pair.words.add(word);
    }

    private void remove(int left, int right, long count) {
        Pair pair = pairs.get(((long) left << 32) | right);
        if (pair == null) {
            throw new IllegalStateException("pair " + left + "," + right + " was never counted");
        }
        pair.count -= count;
    }

    private void offer(List<Pair> born) {
        for (Pair pair : born) {
            if (pair.count > 0) {
                candidates.add(new Candidate(pair.key, pair.count));
            } else {
                pairs.remove(pair.key);
            }
        }
    }

    private static int left(long key) {
        return (int) (key >>> 32);
    }

    private static int right(long key) {
        return (int) key;
    }

    /**
     * What training found: 256 bytes in the order of their characters, merges, special tokens; ids count from 0 in that order.
     * Immutable; any thread.
     */
    public static final class Vocabulary {
        private final List<String> tokens; // by id, in the alphabet of ByteLevel
        private final List<String> merges; // "left right"
        private final List<String> specialTokens;
        private final int wanted;
        private final WordCut cut;

        private Vocabulary(List<int[]> merges, List<String> specialTokens, int wanted, WordCut cut) {
            List<String> texts = new ArrayList<>();
            for (int value : BYTE_OF_ID) {
                texts.add(String.valueOf(ByteLevel.charOf(value)));
            }
            List<String> rules = new ArrayList<>();
            for (int[] merge : merges) {
                rules.add(texts.get(merge[0]) + " " + texts.get(merge[1]));
                texts.add(texts.get(merge[0]) + texts.get(merge[1]));
            }
            this.tokens = List.copyOf(texts);
            this.merges = List.copyOf(rules);
            this.specialTokens = specialTokens;
            this.wanted = wanted;
            this.cut = cut;
        }

        /** How many ids there are. */
        public int size() {
            return tokens.size() + specialTokens.size();
        }

        /** The merges, most frequent first, each as "left right" in the alphabet of {@link ByteLevel}. */
        public List<String> merges() {
            return merges;
        }

        /** Why there are fewer ids than asked for, in words for the user; empty when there are not. */
        public Optional<String> shortfall() {
            return size() == wanted
                    ? Optional.empty()
                    : Optional.of("the text has only " + merges.size() + " pairs to merge: the vocabulary has " + size()
                            + " ids, not the " + wanted + " asked for");
        }

        /**
         * Writes {@code tokenizer.json} and {@code tokenizer_config.json} into a folder, made if need be, in Hugging Face's
         * format.
         *
         * @throws IOException if a file cannot be written
         */
        public void write(Path folder) throws IOException {
            Files.createDirectories(folder);
            ObjectWriter writer = new ObjectMapper().writerWithDefaultPrettyPrinter();
            AtomicFile.write(folder.resolve("tokenizer.json"), writer.writeValueAsBytes(tokenizer()));
            AtomicFile.write(folder.resolve("tokenizer_config.json"), writer.writeValueAsBytes(config()));
        }

        private ObjectNode tokenizer() {
            ObjectNode root = JsonNodeFactory.instance.objectNode();
            root.put("version", "1.0");
            root.putNull("truncation");
            root.putNull("padding");
            ArrayNode added = root.putArray("added_tokens");
            for (int i = 0; i < specialTokens.size(); i++) {
                added.add(addedToken(i).put("id", tokens.size() + i));
            }
            root.putNull("normalizer");
            cut.writeTo(root.putObject("pre_tokenizer"));
            for (String part : List.of("post_processor", "decoder")) {
                WordCut.byteLevel(root.putObject(part), true);
            }
            ObjectNode model = root.putObject("model");
            model.put("type", "BPE");
            model.putNull("dropout");
            model.putNull("unk_token");
            model.putNull("continuing_subword_prefix");
            model.putNull("end_of_word_suffix");
            model.put("fuse_unk", false);
            model.put("byte_fallback", false);
            model.put("ignore_merges", false);
            ObjectNode vocabulary = model.putObject("vocab");
            for (int id = 0; id < tokens.size(); id++) {
                vocabulary.put(tokens.get(id), id);
            }
            for (int i = 0; i < specialTokens.size(); i++) {
                vocabulary.put(specialTokens.get(i), tokens.size() + i);
            }
            ArrayNode rules = model.putArray("merges");
            merges.forEach(rules::add);
            return root;
        }

        private ObjectNode config() {
            ObjectNode config = JsonNodeFactory.instance.objectNode();
            config.put("tokenizer_class", "GPT2Tokenizer");
            config.put("add_prefix_space", false);
            config.put("clean_up_tokenization_spaces", false);
            if (!specialTokens.isEmpty()) {
                for (String role : List.of("bos_token", "eos_token", "unk_token")) {
                    config.put(role, specialTokens.getFirst());
                }
            }
            ObjectNode added = config.putObject("added_tokens_decoder");
            for (int i = 0; i < specialTokens.size(); i++) {
                added.set(String.valueOf(tokens.size() + i), addedToken(i));
            }
            return config;
        }

        private ObjectNode addedToken(int index) {
            return JsonNodeFactory.instance
                    .objectNode()
                    .put("content", specialTokens.get(index))
                    .put("single_word", false)
                    .put("lstrip", false)
                    .put("rstrip", false)
                    .put("normalized", false)
                    .put("special", true);
        }
    }
}
