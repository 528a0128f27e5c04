package dev.weir.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TokenizerTest {
    // ids of merges follow the 256 bytes: lo 256, low 257, Ġlow 258, er 259, lower 260
    private static final String[] LOW = {"l o", "lo w", "Ġ low", "e r", "low er"};
    private static final int LO = 256;
    private static final int LOW_ID = 257;
    private static final int SPACE_LOW = 258;
    private static final int ER = 259;
    private static final int LOWER = 260;

    @TempDir
    Path folder;

    @Test
    void gpt2FileMergesWithinWordsByRank() throws IOException {
        Tokenizer tokenizer = TokenizerFiles.gpt2(LOW).load(folder);

        assertThat(tokenizer.encode("low low lower slow"))
                .containsExactly(LOW_ID, SPACE_LOW, SPACE_LOW, ER, ' ', 's', LOW_ID);
        assertThat(tokenizer.encode("lower")).containsExactly(LOWER);
        assertThat(tokenizer.encode("lo  low\n")).containsExactly(LO, ' ', SPACE_LOW, '\n');
        assertThat(tokenizer.encode("")).isEmpty();
        assertThat(tokenizer.encode("é")).containsExactly(0xC3, 0xA9);
        assertThat(tokenizer.vocabularySize()).isEqualTo(261);
        assertThat(tokenizer.id("Ġlow")).hasValue(SPACE_LOW);
        assertThat(tokenizer.id(" low")).isEmpty();
        assertThat(tokenizer.bytes(SPACE_LOW)).isEqualTo(" low".getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void gpt2WordsKeepContractionsNumbersAndSpacesApart() {
        List<String> words = new ArrayList<>();
        var matcher = ByteLevel.gpt2Words().matcher("I'll pay 1234 €, isn't\u00a0it?  \n  Ok");
        while (matcher.find()) {
            words.add(matcher.group());
        }

        assertThat(words)
                .containsExactly("I", "'ll", " pay", " 1234", " €,", " isn", "'t", "\u00a0", "it", "?", "  \n ", " Ok");
    }

    @Test
    void llama3FileSplitsDigitsByThreesAndFoldsCase() throws IOException {
        TokenizerFiles files = TokenizerFiles.llama3("1 2", "12 3", "123 4", "' L", "'L L", "I '");
        Tokenizer tokenizer = files.load(folder);

        // 1234 is cut as 123, 4 and I'LL as I, 'LL: the merges across those cuts do not happen
        assertThat(tokenizer.encode("1234")).containsExactly(257, '4');
        assertThat(tokenizer.encode("I'LL")).containsExactly('I', 260);
    }

    @Test
    void ignoreMergesTakesAWholeWordThatNoMergeMakes() throws IOException {
        TokenizerFiles files = TokenizerFiles.llama3(LOW).setInModel("ignore_merges", "true");
        int whole = files.word("Ġslower");
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("x slower")).containsExactly('x', whole);
        assertThat(tokenizer.encode("x slowerx")).containsExactly('x', ' ', 's', LOWER, 'x');
    }

    @Test
    void withoutIgnoreMergesOnlyMergesCount() throws IOException {
        TokenizerFiles files = TokenizerFiles.llama3(LOW);
        files.word("Ġslower");

        assertThat(files.load(folder).encode(" slower")).containsExactly(' ', 's', LOWER);
    }

    @Test
    void ignoreMergesNeverTakesASpecialToken() throws IOException {
        TokenizerFiles files = TokenizerFiles.llama3(LOW).setInModel("ignore_merges", "true");
        int inVocabulary = files.word("stop");
        files.root
                .withArray("added_tokens")
                .addObject()
                .put("id", inVocabulary)
                .put("content", "stop")
                .put("special", true);
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("stop")).containsExactly('s', 't', 'o', 'p');
        assertThat(tokenizer.encode("stop", true)).containsExactly(inVocabulary);
    }

    @Test
    void specialTokensAreOrdinaryTextUnlessAskedFor() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2(LOW);
        int end = files.added("<|end|>", true);
        Tokenizer tokenizer = files.load(folder);
        String text = "low<|end|> low";

        assertThat(tokenizer.encode(text)).doesNotContain(end);
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
        assertThat(tokenizer.encode(text, true)).containsExactly(LOW_ID, end, SPACE_LOW);
        assertThat(tokenizer.isSpecial(end)).isTrue();
        assertThat(tokenizer.isSpecial(LOW_ID)).isFalse();
        assertThat(tokenizer.isSpecial(1 << 20)).isFalse();
        assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo("low low");
        assertThat(tokenizer.decode(tokenizer.encode(text, true), true)).isEqualTo(text);
    }

    @Test
    void addedTokensThatAreNotSpecialAreAlwaysMatched() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2(LOW);
        int tool = files.added("<tool>", false);
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("low<tool>low")).containsExactly(LOW_ID, tool, LOW_ID);
        assertThat(tokenizer.decode(new int[] {LOW_ID, tool})).isEqualTo("low<tool>");
    }

    @Test
    void longestAddedTokenWinsAtTheLeftmostPlace() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2();
        int two = files.added("<<", true);
        int three = files.added("<<a", true);
        int other = files.added("a<<a<", true);
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("<<<a<<", true)).containsExactly(two, '<', 'a', two);
        assertThat(tokenizer.encode("x<<a<<a<", true)).containsExactly('x', three, three, '<');
        assertThat(tokenizer.encode("xa<<a<<a", true)).containsExactly('x', other, '<', 'a');
    }

    @Test
    void addedTokensTakeSpaceAlongAndRespectWordsAsTheirFlagsSay() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2();
        int left = files.added("<l>", true, "{\"lstrip\": true}");
        int right = files.added("<r>", true, "{\"rstrip\": true}");
        int word = files.added("mask", true, "{\"single_word\": true}");
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("a \n<l> b", true)).containsExactly('a', left, ' ', 'b');
        assertThat(tokenizer.encode("a <r> \n b", true)).containsExactly('a', ' ', right, 'b');
        assertThat(tokenizer.encode("<r>  <l>", true)).containsExactly(right, left);
        assertThat(tokenizer.encode("(mask)", true)).containsExactly('(', word, ')');
        assertThat(tokenizer.encode("masks", true)).containsExactly('m', 'a', 's', 'k', 's');
        assertThat(tokenizer.encode("1mask", true)).containsExactly('1', 'm', 'a', 's', 'k');
    }

    @Test
    void nfcComposesTextButNotRawAddedTokens() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2("Ã ©").set("normalizer", "{\"type\": \"NFC\"}");
        int raw = files.added("<e\u0301>", false);
        int normalized = files.added("<é!>", false, "{\"normalized\": true}");
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("e\u0301")).containsExactly(256);
        assertThat(tokenizer.encode("a<e\u0301>e\u0301<e\u0301!>z")).containsExactly('a', raw, 256, normalized, 'z');
    }

    @Test
    void prefixSpaceIsPutBeforeEachPieceThatLacksOne() throws IOException {
        TokenizerFiles files =
                TokenizerFiles.gpt2(LOW).set("pre_tokenizer", "{\"type\": \"ByteLevel\", \"add_prefix_space\": true}");
        int tool = files.added("<tool>", false);
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.encode("low low<tool>low")).containsExactly(SPACE_LOW, SPACE_LOW, tool, SPACE_LOW);
        assertThat(tokenizer.encode(" low")).containsExactly(SPACE_LOW);
    }

    @Test
    void individualDigitsAreNotMerged() throws IOException {
        TokenizerFiles files = TokenizerFiles.gpt2("1 2", "Ġ 1")
                .set(
                        "pre_tokenizer",
                        "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\", \"individual_digits\": true}, "
                                + TokenizerFiles.GPT2 + "]}");

        assertThat(files.load(folder).encode("a 12")).containsExactly('a', ' ', '1', '2');
    }

    @Test
    void removedSplitDropsMatchesOrGaps() throws IOException {
        String split = "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Split\", \"behavior\": \"Removed\", "
                + "\"invert\": %s, \"pattern\": {\"String\": \"-\"}}, {\"type\": \"ByteLevel\", \"add_prefix_space\": false, "
                + "\"use_regex\": false}]}";

        assertThat(TokenizerFiles.gpt2("a b")
                        .set("pre_tokenizer", split.formatted(false))
                        .load(folder)
                        .encode("a-ab"))
                .containsExactly('a', 256);
        assertThat(TokenizerFiles.gpt2()
                        .set("pre_tokenizer", split.formatted(true))
                        .load(folder)
                        .encode("a-ab-"))
                .containsExactly('-', '-');
    }

    @Test
    void postProcessorFramesAText() throws IOException {
        TokenizerFiles files = TokenizerFiles.llama3(LOW);
        int begin = files.added("<|begin|>", true);
        files.set("post_processor", """
                {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing",
                 "single": [{"SpecialToken": {"id": "<|begin|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                 "special_tokens": {"<|begin|>": {"id": "<|begin|>", "ids": [%d], "tokens": ["<|begin|>"]}}}]}""".formatted(begin));
        files.config.put("bos_token", "<|begin|>");
        files.config.putObject("eos_token").put("content", "<|begin|>").put("special", true);
        Tokenizer tokenizer = files.load(folder);

        assertThat(tokenizer.withFrame(tokenizer.encode("low"))).containsExactly(begin, LOW_ID);
        assertThat(tokenizer.bosId()).hasValue(begin);
        assertThat(tokenizer.eosId()).hasValue(begin);
    }

    @Test
    void configIsNotNeeded() throws IOException {
        TokenizerFiles.gpt2(LOW).write(folder);
        Files.delete(folder.resolve("tokenizer_config.json"));
        Tokenizer tokenizer = Tokenizer.load(folder);

        assertThat(tokenizer.eosId()).isEmpty();
        assertThat(tokenizer.bosId()).isEmpty();
        assertThat(tokenizer.withFrame(new int[] {1, 2})).containsExactly(1, 2);
    }

    @Test
    void unusedIdsStandForNothing() throws IOException {
        Tokenizer tokenizer = TokenizerFiles.gpt2(LOW).load(folder);

        assertThat(tokenizer.decode(new int[] {LOW_ID, 151_935, LOW_ID})).isEqualTo("lowlow");
        assertThat(tokenizer.bytes(151_935)).isEmpty();
        assertThatThrownBy(() -> tokenizer.decode(new int[] {-1})).hasMessageContaining("-1");
    }

    @Test
    void bytesGivenOutDoNotReachTheTable() throws IOException {
        Tokenizer tokenizer = TokenizerFiles.gpt2(LOW).load(folder);
        tokenizer.bytes(LOW_ID)[0] = 'X';

        assertThat(tokenizer.decode(new int[] {LOW_ID})).isEqualTo("low");
    }

    @Test
    void anyTextComesBackAsItWas() throws IOException {
        Tokenizer gpt2 = TokenizerFiles.gpt2("Ã ©", "l o", "lo w", "Ġ low", "ð Ł", "ðŁ ĺ", "Ġ Ġ", "< |", "â Ģ")
                .load(folder);
        Tokenizer llama3 = TokenizerFiles.llama3("ð Ł", "1 2", "č Ċ", "Ġ Ġ").load(folder);
        long seed = Texts.seed();
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            String text = Texts.random(random, random.nextInt(40));
            for (Tokenizer tokenizer : List.of(gpt2, llama3)) {
                assertThat(tokenizer.decode(tokenizer.encode(text)))
                        .as("tests.seed=%d", seed)
                        .isEqualTo(text);
            }
        }
    }

    @Test
    void loneSurrogatesBecomeReplacementCharacters() throws IOException {
        Tokenizer tokenizer = TokenizerFiles.gpt2(LOW).load(folder);

        assertThat(tokenizer.decode(tokenizer.encode("a\ud83d b\ude42\ud83d"))).isEqualTo("a\ufffd b\ufffd\ufffd");
    }

    @Test
    void endlessWordsDoNotTakeQuadraticTime() throws IOException {
        List<String> merges = new ArrayList<>(List.of("a b", "Ġ Ġ"));
        for (int length = 1; length < 64; length *= 2) {
            merges.add("a".repeat(length) + " " + "a".repeat(length));
        }
        Tokenizer gpt2 = TokenizerFiles.gpt2(merges.toArray(String[]::new)).load(folder);
        Tokenizer llama3 = TokenizerFiles.llama3(merges.toArray(String[]::new)).load(folder);
        int million = 1 << 20;

        // a quadratic algorithm needs 10^12 steps for any of these
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            for (Tokenizer tokenizer : List.of(gpt2, llama3)) {
                assertThat(tokenizer.encode("a".repeat(million))).hasSize(million / 64);
                for (String unit : List.of("ab", " ", "\n", " \n", "<", "é", "🙂", "'", "1")) {
                    String text = unit.repeat(million / unit.length());
                    assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(text);
                }
            }
        });
    }

    @Test
    void threadsShareOneTokenizer() throws IOException, InterruptedException, ExecutionException {
        Tokenizer tokenizer = TokenizerFiles.gpt2(LOW).load(folder);
        long seed = Texts.seed();
        List<String> texts = new Random(seed)
                .ints(200)
                .mapToObj(s -> Texts.random(new Random(s), 50))
                .toList();
        List<int[]> alone = texts.stream()
                .map(TokenizerFiles.gpt2(LOW).load(folder)::encode)
                .toList();
        try (var threads = Executors.newFixedThreadPool(4)) {
            Callable<List<int[]>> all =
                    () -> texts.stream().map(tokenizer::encode).toList();
            for (Future<List<int[]>> result : threads.invokeAll(List.of(all, all, all, all))) {
                for (int i = 0; i < texts.size(); i++) {
                    assertThat(result.get().get(i)).as("tests.seed=%d", seed).isEqualTo(alone.get(i));
                }
            }
        }
    }

    @Test
    void refusesWhatItWouldGetWrongByName() {
        assertRefused(TokenizerFiles.gpt2().setInModel("type", "\"Unigram\""), "model.type", "Unigram");
        assertRefused(TokenizerFiles.gpt2().setInModel("byte_fallback", "true"), "model.byte_fallback");
        assertRefused(TokenizerFiles.gpt2().setInModel("dropout", "0.1"), "model.dropout", "0.1");
        assertRefused(
                TokenizerFiles.gpt2().setInModel("end_of_word_suffix", "\"</w>\""), "model.end_of_word_suffix", "</w>");
        assertRefused(
                TokenizerFiles.gpt2().setInModel("continuing_subword_prefix", "\"##\""),
                "model.continuing_subword_prefix",
                "##");
        assertRefused(TokenizerFiles.gpt2().set("normalizer", "{\"type\": \"Lowercase\"}"), "normalizer", "Lowercase");
        assertRefused(
                TokenizerFiles.gpt2()
                        .set(
                                "normalizer",
                                "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Strip\"}]}"),
                "normalizer",
                "Strip");
        assertRefused(TokenizerFiles.gpt2().set("pre_tokenizer", "null"), "pre_tokenizer", "ByteLevel");
        assertRefused(
                TokenizerFiles.gpt2().set("pre_tokenizer", "{\"type\": \"Metaspace\"}"), "pre_tokenizer", "Metaspace");
        assertRefused(
                TokenizerFiles.gpt2()
                        .set(
                                "pre_tokenizer",
                                "{\"type\": \"Split\", \"behavior\": \"MergedWithNext\", \"pattern\": {\"Regex\": \"a\"}}"),
                "MergedWithNext");
        assertRefused(
                TokenizerFiles.gpt2()
                        .set(
                                "pre_tokenizer",
                                "{\"type\": \"Split\", \"behavior\": \"Isolated\", \"pattern\": {\"Regex\": \"(a\"}}"),
                "pre_tokenizer.pattern");
        assertRefused(TokenizerFiles.gpt2().set("decoder", "{\"type\": \"WordPiece\"}"), "decoder", "WordPiece");
        assertRefused(TokenizerFiles.gpt2().set("decoder", "null"), "decoder", "ByteLevel");
        assertRefused(
                TokenizerFiles.gpt2().set("post_processor", "{\"type\": \"BertProcessing\"}"),
                "post_processor",
                "BertProcessing");
        assertRefused(TokenizerFiles.gpt2().setInModel("merges", "[\"a zz\"]"), "model.merges[0]", "zz");
        assertRefused(TokenizerFiles.gpt2().setInModel("merges", "[\"abc\"]"), "model.merges[0]", "abc");
        assertRefused(TokenizerFiles.gpt2().setInModel("vocab", "{}"), "model.vocab");
        assertRefused(TokenizerFiles.gpt2().setInModel("vocab", "{\"a\": -1}"), "model.vocab", "-1");
        assertRefused(TokenizerFiles.gpt2().setInModel("vocab", "{\"a\": 0}"), "model.vocab", "0x00");
    }

    private void assertRefused(TokenizerFiles files, String... named) {
        assertThatThrownBy(() -> files.load(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tokenizer.json")
                .hasMessageContainingAll(named);
    }

    @Test
    void namesTheConfigTokenThatTheVocabularyLacks() {
        TokenizerFiles files = TokenizerFiles.gpt2();
        files.config.put("eos_token", "</s>");

        assertThatThrownBy(() -> files.load(folder))
                .hasMessageContainingAll("tokenizer_config.json", "eos_token", "</s>");
    }

    @Test
    void saysWhichFileIsMissingOrBroken() throws IOException {
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("tokenizer.json");

        Files.writeString(folder.resolve("tokenizer.json"), "{\"model\": ");
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("tokenizer.json", "JSON");
    }
}
