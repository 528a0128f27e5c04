package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.tokenizer.ByteLevel;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BpeTrainerTest {
    private static final String END = "<|endoftext|>";

    @TempDir
    Path folder;

    @Test
    void aWordCutApartIsTheSameTokensWhereverItStandsAndANumberIsItsDigits() throws IOException {
        List<String> texts = List.of("wheel wheel 1234 1234 (wheel) wheels\n".repeat(9));
        BpeTrainer.train(texts, 300, List.of(END), WordCut.APART).write(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        int[] word = tokenizer.encode("wheel");
        assertThat(word).hasSize(1);
        assertThat(tokenizer.encode(" wheel")).containsExactly(tokenizer.encode(" ")[0], word[0]);
        assertThat(tokenizer.encode("(wheel")).containsExactly(tokenizer.encode("(")[0], word[0]);
        assertThat(tokenizer.encode("1234")).hasSize(4);
        String text = "It's a wheel,  n\u00e9e 12.5 \ud83d\ude42\n\n'llama";
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }

    @Test
    void aNumberCutIntoDigitsIsTheSameDigitsWhereverItStands() throws IOException {
        BpeTrainer.train(List.of("wheel wheel 1234 1234 (1234)\n".repeat(9)), 300, List.of(END), WordCut.DIGITS)
                .write(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        int[] digits = tokenizer.encode("1234");
        assertThat(digits).hasSize(4);
        assertThat(tokenizer.encode(" 1234")).endsWith(digits).hasSize(5);
        assertThat(tokenizer.encode("(1234")).endsWith(digits).hasSize(5);
        assertThat(tokenizer.encode(" wheel")).hasSize(1);
        String text = "It's a wheel,  n\u00e9e 12.5 \ud83d\ude42\n\n'llama 3\n\n4";
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }

    @Test
    void mostFrequentPairBecomesTheFirstMerge() {
        // a b three times, b c and space a twice; then ab c and space ab twice each, and the space has the lower id
        BpeTrainer.Vocabulary vocabulary = BpeTrainer.train("abc abc ab", 256 + 2 + 1, List.of(END));

        assertThat(vocabulary.merges()).containsExactly("a b", "Ġ ab");
    }

    @Test
    void mergesEqualThoseOfARecountAfterEveryMerge() {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 40; round++) {
            StringBuilder text = new StringBuilder();
            String alphabet = random.nextBoolean() ? "ab " : "aabcd  é🙂\n";
            int[] letters = alphabet.codePoints().toArray();
            int length = random.nextInt(300);
            for (int i = 0; i < length; i++) {
                text.appendCodePoint(letters[random.nextInt(letters.length)]);
            }
            int merges = random.nextInt(60);

            List<String> trained =
                    BpeTrainer.train(text, 256 + merges, List.of()).merges();

            assertThat(trained).as("tests.seed=%d round %d", seed, round).isEqualTo(recount(text.toString(), merges));
        }
    }

    /** The textbook algorithm: counts every pair anew for each merge. Symbols are texts of the byte alphabet. */
    private static List<String> recount(String text, int wanted) {
        List<List<Integer>> words = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (int value = 0; value < 256; value++) {
            names.add(String.valueOf(ByteLevel.charOf(value)));
        }
        names.sort(Comparator.naturalOrder());
        Matcher matcher = ByteLevel.gpt2Words().matcher(text);
        while (matcher.find()) {
            String word = ByteLevel.textOf(matcher.group().getBytes(StandardCharsets.UTF_8));
            List<Integer> symbols = new ArrayList<>();
            word.chars().forEach(c -> symbols.add(names.indexOf(String.valueOf((char) c))));
            words.add(symbols);
        }
        List<String> merges = new ArrayList<>();
        while (merges.size() < wanted) {
            TreeMap<Long, Integer> counts = new TreeMap<>();
            for (List<Integer> word : words) {
                for (int i = 0; i + 1 < word.size(); i++) {
                    counts.merge(((long) word.get(i) << 32) | word.get(i + 1), 1, Integer::sum);
                }
            }
            if (counts.isEmpty()) {
                break;
            }
            Map.Entry<Long, Integer> best = counts.firstEntry();
            for (Map.Entry<Long, Integer> entry : counts.entrySet()) {
                if (entry.getValue() > best.getValue()) {
                    best = entry;
                }
            }
            int left = (int) (best.getKey() >> 32);
            int right = (int) (long) best.getKey();
            merges.add(names.get(left) + " " + names.get(right));
            names.add(names.get(left) + names.get(right));
            for (List<Integer> word : words) {
                for (int i = 0; i + 1 < word.size(); i++) {
                    if (word.get(i) == left && word.get(i + 1) == right) {
                        word.set(i, names.size() - 1);
                        word.remove(/* index */ i + 1);
                    }
                }
            }
        }
        return merges;
    }

    @Test
    void vocabularyHasExactlyTheSizeAskedFor() {
        BpeTrainer.Vocabulary vocabulary = BpeTrainer.train("the cat and the other cat", 270, List.of(END, "<|user|>"));

        assertThat(vocabulary.size()).isEqualTo(270);
        assertThat(vocabulary.shortfall()).isEmpty();
        assertThat(vocabulary.merges()).hasSize(270 - 256 - 2);
    }

    @Test
    void tooShortATextSaysThatItGaveFewerIds() {
        BpeTrainer.Vocabulary vocabulary = BpeTrainer.train("abc", 1000, List.of(END));

        assertThat(vocabulary.size()).isEqualTo(256 + 2 + 1);
        assertThat(vocabulary.shortfall().orElseThrow()).contains("259").contains("1000");
    }

    @Test
    void specialTokensInTheTextAreNotLearned() {
        BpeTrainer.Vocabulary with = BpeTrainer.train("ab ab" + END + "ab ab" + END, 260, List.of(END));
        BpeTrainer.Vocabulary without = BpeTrainer.train(List.of("ab ab", "ab ab"), 260, List.of(END), WordCut.GPT2);

        assertThat(with.merges()).isEqualTo(without.merges());
    }

    @Test
    void writtenFolderEncodesAndDecodesWithIdsInOrder() throws IOException {
        String text = "low low low lower lowest newer newest wider 🙂 naïve\n";
        BpeTrainer.train(text, 256 + 20 + 2, List.of(END, "<|user|>")).write(folder);

        Tokenizer tokenizer = Tokenizer.load(folder);
        int[] ids = tokenizer.encode(text);

        assertThat(tokenizer.vocabularySize()).isEqualTo(278);
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
        assertThat(ids.length).isLessThan(text.length());
        assertThat(tokenizer.id("!")).hasValue(0);
        assertThat(tokenizer.id(END)).hasValue(276);
        assertThat(tokenizer.id("<|user|>")).hasValue(277);
        assertThat(tokenizer.eosId()).hasValue(276);
        assertThat(tokenizer.encode("low" + END, true)).endsWith(276);
        assertThat(tokenizer.encode("low" + END)).doesNotContain(276);
    }

    @Test
    void sameTextGivesTheSameFiles() throws IOException {
        String text = "one two three two one";
        BpeTrainer.train(text, 265, List.of(END)).write(folder.resolve("a"));
        BpeTrainer.train(text, 265, List.of(END)).write(folder.resolve("b"));

        for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
            assertThat(Files.readString(folder.resolve("a").resolve(name)))
                    .isEqualTo(Files.readString(folder.resolve("b").resolve(name)));
        }
    }

    @Test
    void oneLongWordIsLearnedAsWell() {
        BpeTrainer.Vocabulary vocabulary = BpeTrainer.train("a".repeat(1 << 16), 256 + 16, List.of());

        assertThat(vocabulary.merges()).hasSize(16).last().isEqualTo("a".repeat(1 << 15) + " " + "a".repeat(1 << 15));
    }

    @Test
    void refusesASizeWithoutRoomAndDoubledSpecialTokens() {
        assertThatThrownBy(() -> BpeTrainer.train("a", 256, List.of(END)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("257");
        assertThatThrownBy(() -> BpeTrainer.train("a", 300, List.of(END, END))).hasMessageContaining("distinct");
    }
}
