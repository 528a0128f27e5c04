package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenShardTest {
    private static final TokenShard.Key KEY = key(1000, "text");

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @CsvSource({"257, 2", "65536, 2", "65537, 4", "200000, 4"})
    void idsOfAnyVocabularyComeBack(int vocabulary, int bytesPerId) throws IOException {
        int[] ids = {0, 1, 255, 256, vocabulary / 2, vocabulary - 1, 7};
        Path file = write(key(vocabulary, "text"), Direction.LTR, ids, 5);
        TokenShard shard = TokenShard.open(file, key(vocabulary, "text"));
        assertThat(TestData.array(shard.training())).isEqualTo(Arrays.copyOf(ids, 5));
        assertThat(TestData.array(shard.heldOut())).isEqualTo(Arrays.copyOfRange(ids, 5, 7));
        assertThat(Files.size(file)).isEqualTo(144 + 7L * bytesPerId);
    }

    @Test
    void manyIdsComeBack() throws IOException {
        int[] ids = new Random(5).ints(2_000_000, 0, 1000).toArray();
        TokenShard shard = TokenShard.open(write(KEY, Direction.LTR, ids, 1_900_000), KEY);
        assertThat(TestData.array(shard.training())).isEqualTo(Arrays.copyOf(ids, 1_900_000));
        assertThat(TestData.array(shard.heldOut())).isEqualTo(Arrays.copyOfRange(ids, 1_900_000, 2_000_000));
    }

    @Test
    void documentsAreTurnedAsTheModelReadsThem() throws IOException {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            int[] ids = random.ints(random.nextInt(12), 0, 4).toArray();
            int cut = random.nextInt(ids.length + 1);
            TokenShard shard = TokenShard.open(write(KEY, Direction.RTL, ids, cut), KEY);
            assertThat(TestData.array(shard.training()))
                    .as("tests.seed=%d round %d", seed, round)
                    .isEqualTo(Direction.RTL.order(Arrays.copyOf(ids, cut), OptionalInt.of(3)));
            assertThat(TestData.array(shard.heldOut()))
                    .as("tests.seed=%d round %d", seed, round)
                    .isEqualTo(Direction.RTL.order(Arrays.copyOfRange(ids, cut, ids.length), OptionalInt.of(3)));
        }
    }

    @Test
    void aFileWithAnyByteChangedIsNotTrusted() throws IOException {
        Path file = write(KEY, Direction.LTR, new int[] {1, 2, 3, 4}, 3);
        byte[] whole = Files.readAllBytes(file);
        for (int at = 0; at < whole.length; at++) {
            byte[] changed = whole.clone();
            changed[at] ^= 1;
            unusable(Files.write(file, changed), KEY);
        }
        for (int length = 0; length < whole.length; length++) {
            unusable(Files.write(file, Arrays.copyOf(whole, length)), KEY);
        }
        unusable(Files.write(file, Arrays.copyOf(whole, whole.length + 2)), KEY);
        TokenShard.open(Files.write(file, whole), KEY);
    }

    @Test
    void aFileOfAnotherTextIsNotTrusted() throws IOException {
        Path file = write(KEY, Direction.LTR, new int[] {1, 2, 3, 4}, 3);
        unusable(file, key(1000, "another"));
        unusable(file, key(1001, "text"));
        assertThat(key(1000, "another").fileName(Path.of("a.txt")))
                .isNotEqualTo(KEY.fileName(Path.of("a.txt")))
                .startsWith("a.txt-")
                .endsWith(".tokens");
    }

    private static void unusable(Path file, TokenShard.Key key) {
        assertThatThrownBy(() -> TokenShard.open(file, key)).isInstanceOf(TokenShard.UnusableException.class);
    }

    private static TokenShard.Key key(int vocabulary, String source) {
        return new TokenShard.Key(vocabulary, Sha256.of("tokenizer"), Sha256.of(source), Sha256.of("recipe"));
    }

    private Path write(TokenShard.Key key, Direction direction, int[] ids, int cut) throws IOException {
        Path file = folder.resolve("some.tokens");
        TokenShard.write(file, key, direction, OptionalInt.of(3), writer -> {
            writer.add(Arrays.copyOf(ids, cut));
            writer.endOfTraining();
            writer.add(Arrays.copyOfRange(ids, cut, ids.length));
        });
        return file;
    }
}
