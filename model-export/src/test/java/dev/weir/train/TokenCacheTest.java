package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenCacheTest {
    private static final String LINE = "The miller turns the wheel, and the wheel turns the stone.\n";

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private Tokenizer tokenizer;
    private String tokenizerSha256 = "";

    @BeforeEach
    void trainATokenizer() throws IOException {
        useTokenizer(265);
    }

    private void useTokenizer(int vocabulary) throws IOException {
        BpeTrainer.train(LINE.repeat(3), vocabulary, List.of("<|endoftext|>")).write(folder);
        tokenizer = Tokenizer.load(folder);
        tokenizerSha256 = RunFolder.tokenizerSha256(folder);
    }

    @Test
    void aLargeFileHasTheTokensOfItsText() throws IOException {
        String text = ("<|endoftext|>" + LINE.repeat(50)).repeat(1000); // three megabytes, several pieces
        DataFile data = read("data.txt", text);
        TokenShard shard = shard(data, Direction.LTR);
        int cut = (int) (text.length() * (1 - 0.1));
        assertThat(TestData.array(shard.training())).isEqualTo(tokenizer.encode(text.substring(0, cut), true));
        assertThat(TestData.array(shard.heldOut())).isEqualTo(tokenizer.encode(text.substring(cut), true));
    }

    @Test
    void documentsOfJsonLinesEndWithTheEndOfTextAndSpellNone() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            lines.append("{\"text\": \"number ").append(i).append(" of <|endoftext|>\"}\n");
        }
        TokenShard shard = shard(read("data.jsonl", lines.toString()), Direction.LTR);
        int end = tokenizer.eosId().orElseThrow();
        int[] all = IntStream.concat(
                        IntStream.of(TestData.array(shard.training())), IntStream.of(TestData.array(shard.heldOut())))
                .toArray();
        assertThat(IntStream.of(all).filter(id -> id == end).count()).isEqualTo(20_000);
        assertThat(all).endsWith(end);
        StringBuilder expected = new StringBuilder();
        IntStream.range(0, 20_000).forEach(i -> expected.append("number " + i + " of <|endoftext|>"));
        assertThat(tokenizer.decode(all)).isEqualTo(expected.toString());
    }

    @Test
    void aFileIsTokenisedOnceForATokenizerAndADirection() throws IOException {
        DataFile data = read("data.txt", LINE.repeat(20));
        shard(data, Direction.LTR);
        Path first = kept().getFirst();
        Files.setLastModifiedTime(first, FileTime.fromMillis(0));
        shard(data, Direction.LTR);
        assertThat(kept()).containsExactly(first);
        assertThat(Files.getLastModifiedTime(first).toMillis()).isZero();
        shard(data, Direction.RTL);
        assertThat(kept()).hasSize(2);
        useTokenizer(262);
        shard(data, Direction.LTR);
        assertThat(kept()).hasSize(3);
        shard(read("data.txt", LINE.repeat(21)), Direction.LTR);
        assertThat(kept()).hasSize(4);
        assertThat(Files.getLastModifiedTime(first).toMillis()).isZero();
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void aTornFileIsMadeAgainAndSaidSo() throws IOException {
        DataFile data = read("data.txt", LINE.repeat(20));
        int[] ids = TestData.array(shard(data, Direction.LTR).training());
        Path file = kept().getFirst();
        byte[] whole = Files.readAllBytes(file);
        byte[] torn = whole.clone();
        torn[whole.length - 1] ^= 0x40;
        Files.write(file, torn);
        assertThat(TestData.array(shard(data, Direction.LTR).training())).isEqualTo(ids);
        assertThat(printed.toString(StandardCharsets.UTF_8)).contains(file.toString(), "checksum", "made again");
        assertThat(file).hasBinaryContent(whole);
    }

    @Test
    void aFileThatChangedSinceItWasLookedThroughIsRefused() throws IOException {
        DataFile data = read("data.txt", LINE.repeat(20));
        Files.writeString(data.file(), LINE.replace('m', 'k').repeat(20));
        assertThatThrownBy(() -> shard(data, Direction.LTR))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll("data.txt", "written to", "start again");
        assertThat(kept()).isEmpty();
    }

    @Test
    void aDiskTooSmallIsNoticedBeforeItIsFull() throws IOException {
        DataFile data = read("data.txt", LINE.repeat(60_000));
        TokenCache cache = new TokenCache(folder.resolve("tokens"), () -> 1000, 1, System.out);
        assertThatThrownBy(() -> cache.shard(data, tokenizer, tokenizerSha256, Direction.LTR))
                .isInstanceOf(UserError.class)
                .hasMessageContainingAll("data.txt", "1.00 kB left", "--token-cache");
        assertThat(kept()).isEmpty();
    }

    private DataFile read(String name, String text) throws IOException {
        Path path = Files.writeString(folder.resolve(name), text);
        return DataFile.read(path, DataFormat.of(path, "text"), 0.1);
    }

    private TokenShard shard(DataFile data, Direction direction) throws IOException {
        PrintStream console = new PrintStream(printed, true, StandardCharsets.UTF_8);
        return new TokenCache(folder.resolve("tokens"), () -> Long.MAX_VALUE, 3, console)
                .shard(data, tokenizer, tokenizerSha256, direction);
    }

    private List<Path> kept() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("tokens"))) {
            return files.filter(file -> !file.endsWith(".lock")).sorted().toList();
        }
    }
}
