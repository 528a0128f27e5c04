package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.assertj.core.util.Lists;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingDataTest {
    private static final GptConfig MODEL = new GptConfig(1, 1, 8, 4, 257, 0);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @BeforeEach
    void oneTokenForEachByte() throws IOException {
        BpeTrainer.train("", 257, List.of("<|endoftext|>")).write(folder);
    }

    @Test
    void oneTextIsDrawnFromAsItAlwaysWas() throws IOException {
        String text = "The quick brown fox jumps over the lazy dog. ".repeat(20);
        TokenizedText data = tokenize(write("a.txt", text));
        int[] tokens = Tokenizer.load(folder).encode(text.substring(0, (int) (text.length() * 0.9)));
        for (int number = 0; number < 50; number++) {
            SplittableRandom random = new SplittableRandom(Seeds.mix(7, number));
            long[] ids = new long[12];
            for (int block = 0; block < 3; block++) {
                int start = random.nextInt(tokens.length - 4);
                for (int i = 0; i < 4; i++) {
                    ids[4 * block + i] = tokens[start + i];
                }
            }
            assertThat(data.trainingBatch(7, number, 3, 4).ids()).isEqualTo(ids);
        }
    }

    @Test
    void blocksAreDrawnByWeightOrBySize() throws IOException {
        String a = write("a.txt", "a".repeat(1000));
        String b = write("b.txt", "b".repeat(3000));
        assertThat(shareOfA(tokenize(a + ":3", b + ":1"))).isCloseTo(0.75, within(0.03));
        assertThat(shareOfA(tokenize(a + ":1e-9", b + ":1"))).isZero();
        assertThat(shareOfA(tokenize(a, b))).isCloseTo(0.25, within(0.03));
    }

    private static double shareOfA(TokenizedText data) {
        int blocks = 4000;
        long[] ids = data.trainingBatch(1, 1, blocks, 1).ids();
        int a = TestData.byteId('a');
        return (double) LongStream.of(ids).filter(id -> id == a).count() / blocks;
    }

    @Test
    void aDrawDependsOnItsNumberAlone() throws IOException {
        String[] files = {write("a.txt", "abcdefgh".repeat(100)) + ":1", write("b.txt", "stuvwxyz".repeat(50)) + ":2"};
        TokenizedText one = tokenize(files);
        TokenizedText other = tokenize(files);
        Set<List<Long>> seen = new LinkedHashSet<>();
        for (long number : new long[] {9, 3, 7, 0}) {
            seen.add(LongStream.of(one.trainingBatch(5, number, 4, 4).ids())
                    .boxed()
                    .toList());
        }
        Set<List<Long>> again = new LinkedHashSet<>();
        for (long number : new long[] {0, 7, 3, 9}) {
            again.add(LongStream.of(other.trainingBatch(5, number, 4, 4).ids())
                    .boxed()
                    .toList());
        }
        assertThat(seen).hasSize(4).containsExactlyInAnyOrderElementsOf(again);
    }

    @Test
    void eachFileIsValidatedOnByItsShareAndEachTokenOnce() throws IOException {
        String a = write("a.txt", "a".repeat(1000));
        String b = write("b.txt", "b".repeat(3000));
        TokenizedText data = tokenize(a + ":3", b + ":1");
        List<TokenBatch> few = data.validationBatches(2, 4, 8);
        assertThat(few.stream().mapToInt(TokenBatch::blocks).toArray()).containsExactly(2, 2, 2, 2);
        assertThat(few.getLast().ids()[0]).isEqualTo(TestData.byteId('b'));
        assertThat(few.get(2).ids()[0]).isEqualTo(TestData.byteId('a'));
        List<TokenBatch> all = data.validationBatches(2, 4, 1_000_000);
        assertThat(all.stream().mapToLong(batch -> batch.targets().length).sum())
                .isEqualTo(99 + 299);
    }

    @Test
    void theBytesOfAValidationAreThoseOfItsText() throws IOException {
        String[] documents = {"first", "the second, é", "third €", "🙂 and the fourth", "fifth", "the sixth one", "7"};
        StringBuilder lines = new StringBuilder();
        for (String document : documents) {
            lines.append("{\"text\": \"").append(document).append("\"}\n");
        }
        String json = write("a.jsonl", lines.toString());
        TokenizedText data = TestData.tokenize(folder, 0.5, MODEL, json);
        long expected = bytes(Arrays.copyOfRange(documents, 3, 7)) - 1; // The first token is not predicted.
        assertThat(bytes(data)).isEqualTo(expected);

        String plain = write("b.txt", "x".repeat(100) + "ab<|endoftext|>cd<|endoftext|>" + "y".repeat(70));
        TokenizedText spelled = TestData.tokenize(folder, 0.5, MODEL, plain);
        assertThat(bytes(spelled)).isEqualTo(99);
    }

    private static long bytes(TokenizedText data) {
        return data.validationBatches(3, 4, 1000).stream()
                .mapToLong(TokenBatch::targetBytes)
                .sum();
    }

    private static long bytes(String... texts) {
        return String.join("", texts).getBytes(StandardCharsets.UTF_8).length;
    }

    @Test
    void theDigestCoversFilesWeightsFormatsAndWhatIsHeldOut() throws IOException {
        String a = write("a.txt", "some text of a");
        String b = write("b.txt", "some text of b");
        String json = write("c.jsonl", "{\"text\": \"a\"}");
        Set<String> digests = new LinkedHashSet<>();
        digests.add(digest(0.1, "text", a));
        digests.add(digest(0.2, "text", a));
        digests.add(digest(0.1, "text", b));
        digests.add(digest(0.1, "text", a, b));
        digests.add(digest(0.1, "text", b, a));
        digests.add(digest(0.1, "text", a + ":1", b + ":1"));
        digests.add(digest(0.1, "text", a + ":1", b + ":2"));
        digests.add(digest(0.1, "text", json));
        digests.add(digest(0.1, "body", json));
        assertThat(digests).hasSize(9);
        assertThat(digest(0.1, "text", a + ":2", b + ":4")).isEqualTo(digest(0.1, "text", a + ":1", b + ":2"));
        assertThat(digest(0.1, "text", write("moved.txt", "some text of a"))).isEqualTo(digest(0.1, "text", a));
    }

    private static String digest(double heldOut, String key, String... arguments) throws IOException {
        return TrainingData.read(List.of(arguments), key, heldOut).digest();
    }

    @Test
    void aRunOfBeforeIsKnownByTheDigestOfItsText() throws IOException {
        TrainingData data = TrainingData.read(List.of(write("a.txt", "some text")), "text", 0.1);
        assertThat(data.digests()).containsExactly(data.digest(), Sha256.of("some text"));
    }

    @Test
    void someWeightsAreNotEnough() throws IOException {
        String a = write("a.txt", "some text");
        String b = write("b.txt", "some text");
        assertThatThrownBy(() -> TrainingData.read(List.of(a + ":2", b), "text", 0.1))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll("b.txt", "every file one or none");
    }

    @Test
    void aLargeTextIsSampledForTheTokenizer() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            lines.append(String.format("{\"text\": \"number %02d\"}%n", i));
        }
        DataFile file = TrainingData.read(List.of(write("a.jsonl", lines.toString())), "text", 0.1)
                .files()
                .getFirst();
        try (TokenizerSample sample = new TokenizerSample(List.of(file), file.bytes() / 10)) {
            assertThat(sample.describe().orElseThrow()).contains("one in 9 pieces");
            assertThat(Lists.newArrayList(sample)).hasSize(10).startsWith("number 00", "number 09", "number 18");
        }
        try (TokenizerSample all = new TokenizerSample(List.of(file, file), 1 << 20)) {
            assertThat(all.describe()).isEmpty();
            assertThat(Lists.newArrayList(all)).hasSize(180);
        }
    }

    private TokenizedText tokenize(String... arguments) throws IOException {
        return TestData.tokenize(folder, 0.1, MODEL, arguments);
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }
}
