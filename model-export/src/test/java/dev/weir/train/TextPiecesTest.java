package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.tokenizer.ByteLevel;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextPiecesTest {
    private static final String LLAMA3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"GPT-2", "prefix space", "Llama 3"})
    void tokensOfThePiecesAreThoseOfTheWhole(String words) throws IOException {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        Random random = new Random(seed);
        Tokenizer tokenizer = tokenizer(words);
        int pieces = 0;
        for (int round = 0; round < 60; round++) {
            String text = text(random);
            List<String> cut = pieces(text, Seam.of(tokenizer), 40, 1 << 20);
            pieces += cut.size();
            assertThat(String.join("", cut)).isEqualTo(text);
            assertThat(cut.stream()
                            .flatMapToInt(piece -> IntStream.of(tokenizer.encode(piece, true)))
                            .toArray())
                    .as("tests.seed=%d round %d", seed, round)
                    .isEqualTo(tokenizer.encode(text, true));
        }
        assertThat(pieces).isGreaterThan(5 * 60);
    }

    @Test
    void wordsOfThePiecesAreThoseOfTheWhole() throws IOException {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        String text = text(new Random(seed));
        assertThat(pieces(text, Seam.ofWords(), 40, 1 << 20).stream()
                        .flatMap(piece -> words(piece).stream())
                        .toList())
                .as("tests.seed=%d", seed)
                .isEqualTo(words(text));
    }

    @Test
    void textWithNoPlaceToCutIsCutAtItsLimitButNotWithinACharacter() throws IOException {
        String text = "a" + "🙂".repeat(100);
        List<String> cut = pieces(text, Seam.ofWords(), 16, 64);
        assertThat(String.join("", cut)).isEqualTo(text);
        assertThat(cut)
                .hasSize(4)
                .allSatisfy(piece -> assertThat(piece.length()).isBetween(8, 65));
        assertThat(cut).allMatch(piece -> !Character.isLowSurrogate(piece.charAt(0)));
    }

    private static List<String> words(String text) {
        return ByteLevel.gpt2Words()
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .toList();
    }

    private static String text(Random random) {
        String[] parts = {
            "word",
            "Word",
            "don't",
            "12345",
            " ",
            " ",
            " ",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\r\n",
            ".",
            "!?",
            "/",
            "é",
            "🙂",
            "<|endoftext|>"
        };
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 200; i++) {
            text.append(parts[random.nextInt(parts.length)]);
        }
        return text.toString();
    }

    private List<String> pieces(String text, Seam seam, int usual, int most) throws IOException {
        Path file = Files.writeString(folder.resolve("data.txt"), text);
        return TestData.all(new TextPieces(new Utf8Reader(file, 0, Files.size(file), 1, null), seam, usual, most));
    }

    private Tokenizer tokenizer(String words) throws IOException {
        BpeTrainer.train("word Word 123 345\nword don't.\n\nWord word!?\r\n/é", 300, List.of("<|endoftext|>"))
                .write(folder);
        Path file = folder.resolve("tokenizer.json");
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = (ObjectNode) mapper.readTree(file.toFile());
        if (words.equals("prefix space")) {
            ((ObjectNode) root.path("pre_tokenizer")).put("add_prefix_space", true);
        } else if (words.equals("Llama 3")) {
            ObjectNode sequence = root.putObject("pre_tokenizer").put("type", "Sequence");
            var parts = sequence.putArray("pretokenizers");
            parts.addObject()
                    .put("type", "Split")
                    .put("behavior", "Isolated")
                    .put("invert", false)
                    .putObject("pattern")
                    .put("Regex", LLAMA3);
            parts.addObject()
                    .put("type", "ByteLevel")
                    .put("add_prefix_space", false)
                    .put("use_regex", false);
        }
        mapper.writeValue(file.toFile(), root);
        return Tokenizer.load(folder);
    }
}
