package dev.weir.server;

import dev.weir.onnx.Peer;
import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;

/** Prompts of so many tokens exactly, other ones for each sequence and the same each time. Static functions; any thread. */
final class BenchPrompts {
    private static final Pattern WORD = Pattern.compile(" [a-z]+");
    /** Words enough for no two prompts to be alike. */
    private static final int MOST_WORDS = 2000;

    private BenchPrompts() {}

    /** Random tokens, which no text need stand for. */
    static List<Peer.Prompt> random(int vocabularySize, BenchLoad load) {
        Random random = new Random(1);
        List<Peer.Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < load.sequences(); i++) {
            int[] tokens = random.ints(load.promptTokens(), 0, vocabularySize).toArray();
            prompts.add(new Peer.Prompt("", tokens));
        }
        return prompts;
    }

    /**
     * Texts of words that are one token each, so that whoever is given the text computes the same tokens.
     *
     * @throws IllegalArgumentException if the tokenizer has no such words
     */
    static List<Peer.Prompt> words(Tokenizer tokenizer, BenchLoad load) {
        int[] words = words(tokenizer);
        Random random = new Random(1);
        List<Peer.Prompt> prompts = new ArrayList<>();
        for (int i = 0; i < load.sequences(); i++) {
            int[] tokens = random.ints(load.promptTokens(), 0, words.length)
                    .map(word -> words[word])
                    .toArray();
            String text = tokenizer.decode(tokens);
            if (!Arrays.equals(tokenizer.encode(text), tokens)) {
                throw noWords();
            }
            prompts.add(new Peer.Prompt(text, tokens));
        }
        return prompts;
    }

    private static int[] words(Tokenizer tokenizer) {
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            ids.add(id);
        }
        Collections.shuffle(ids, new Random(1));
        int[] words = ids.stream()
                .mapToInt(Integer::intValue)
                .filter(id -> isWord(tokenizer, id))
                .limit(MOST_WORDS)
                .toArray();
        if (words.length == 0) {
            throw noWords();
        }
        return words;
    }

    private static boolean isWord(Tokenizer tokenizer, int id) {
        String text = tokenizer.decode(new int[] {id});
        return WORD.matcher(text).matches() && Arrays.equals(tokenizer.encode(text), new int[] {id});
    }

    private static IllegalArgumentException noWords() {
        return new IllegalArgumentException(
                "the model's tokenizer has no words of one token each, of which prompts for a "
                        + "--peer are made: choose a model with GPT-2's tokenizer, or leave out --peer");
    }
}
