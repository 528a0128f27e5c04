package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataFileTest {
    private static final Seam ANYWHERE = (left, right) -> true;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @Test
    void plainTextIsCutAtAShareOfItsCharacters() throws IOException {
        long seed = Long.getLong("tests.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int round = 0; round < 100; round++) {
            String text = text(random, 1 + random.nextInt(60));
            double heldOut = 0.01 + 0.98 * random.nextDouble();
            assertCut(text, heldOut, "tests.seed=" + seed + " round " + round);
        }
    }

    @Test
    void aTextOfManyChunksIsCutAtAShareOfItsCharacters() throws IOException {
        // Characters of every length lie across the borders of chunks.
        assertCut("x" + "é€🙂\n".repeat(250_000), 0.37, "large");
    }

    private void assertCut(String text, double heldOut, String what) throws IOException {
        int cut = (int) (text.length() * (1 - heldOut));
        if (cut > 0 && Character.isLowSurrogate(text.charAt(cut))) {
            cut++;
        }
        DataFile file = read("data.txt", text, heldOut);
        assertThat(String.join("", TestData.all(file.training(ANYWHERE, null))))
                .as(what)
                .isEqualTo(text.substring(0, cut));
        assertThat(String.join("", TestData.all(file.heldOut(ANYWHERE, null))))
                .as(what)
                .isEqualTo(text.substring(cut));
        assertThat(file.sha256()).isEqualTo(Sha256.of(text));
        assertThat(file.cutLine())
                .isEqualTo(1
                        + text.substring(0, cut).chars().filter(c -> c == '\n').count());
    }

    private static String text(Random random, int length) {
        int[] letters = "ab \né€🙂𝔸".codePoints().toArray();
        StringBuilder text = new StringBuilder("a");
        for (int i = 0; i < length; i++) {
            text.appendCodePoint(letters[random.nextInt(letters.length)]);
        }
        return text.toString();
    }

    @Test
    void documentsOfJsonLinesStayWhole() throws IOException {
        StringBuilder lines = new StringBuilder("\uFEFF");
        for (int i = 0; i < 10; i++) {
            lines.append("{\"id\": ")
                    .append(i)
                    .append(", \"text\": \"document\\n")
                    .append(i)
                    .append("\"}\n\n");
        }
        lines.append("{\"text\": \"\"}");
        DataFile file = read("data.jsonl", lines.toString(), 0.25);
        assertThat(TestData.all(file.training(ANYWHERE, null)))
                .hasSize(7)
                .first()
                .isEqualTo("document\n0");
        assertThat(TestData.all(file.heldOut(ANYWHERE, null)))
                .containsExactly("document\n7", "document\n8", "document\n9");
    }

    @ParameterizedTest
    @CsvSource({
        "0.1, 0, line 1",
        "0.1, 2, line 3",
        "0.9, 2, line 3",
        "0.1, 9, line 10",
    })
    void whatIsWrongInJsonLinesIsNamedWithItsLine(double heldOut, int wrong, String line) {
        assertWrong(heldOut, wrong, "{\"text\": \"cut", line, "is not valid JSON");
        assertWrong(heldOut, wrong, "{\"text\": \"a\"} {}", line, "is not valid JSON");
        assertWrong(heldOut, wrong, "[\"a text\"]", line, "is no JSON object");
        assertWrong(heldOut, wrong, "{\"body\": \"a\", \"id\": 3}", line, "no \"text\"", "[body, id]", "--text-key");
        assertWrong(heldOut, wrong, "{\"text\": 17}", line, "text is 17", "--text-key");
        assertWrong(heldOut, wrong, "{\"text\": \"caf\u00e9\"}", "in " + line, "byte 0xe9", "iconv");
    }

    private void assertWrong(double heldOut, int index, String wrong, String... parts) {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 10; i++) {
            lines.append(i == index ? wrong : "{\"text\": \"one\"}").append('\n');
        }
        assertThatThrownBy(() -> {
                    Path path = folder.resolve("wrong.jsonl");
                    Files.writeString(path, lines, StandardCharsets.ISO_8859_1);
                    DataFile file = DataFile.read(path, DataFormat.of(path, "text"), heldOut);
                    TestData.all(file.training(ANYWHERE, null));
                    TestData.all(file.heldOut(ANYWHERE, null));
                })
                .isInstanceOf(UserError.class)
                .hasMessageContaining("wrong.jsonl")
                .hasMessageContainingAll(parts);
    }

    @Test
    void anotherKeyMayHaveTheText() throws IOException {
        Path path = Files.writeString(folder.resolve("DATA.JSONL"), "{\"body\": \"a\"}\n{\"body\": \"b\"}\n");
        DataFile file = DataFile.read(path, DataFormat.of(path, "body"), 0.5);
        assertThat(TestData.all(file.training(ANYWHERE, null))).containsExactly("a");
        assertThat(TestData.all(file.heldOut(ANYWHERE, null))).containsExactly("b");
    }

    @Test
    void aWeightFollowsTheLastColonUnlessAFileHasThatName() throws IOException {
        assertThat(DataArgument.of("a.txt")).isEqualTo(new DataArgument(Path.of("a.txt"), null));
        assertThat(DataArgument.of("a.txt:2")).isEqualTo(new DataArgument(Path.of("a.txt"), 2.0));
        assertThat(DataArgument.of("a:3:.5e1")).isEqualTo(new DataArgument(Path.of("a:3"), 5.0));
        assertThat(DataArgument.of("a:b")).isEqualTo(new DataArgument(Path.of("a:b"), null));
        String timed = Files.writeString(folder.resolve("part:12"), "text").toString();
        assertThat(DataArgument.of(timed)).isEqualTo(new DataArgument(Path.of(timed), null));
        assertThat(DataArgument.of(timed + ":1")).isEqualTo(new DataArgument(Path.of(timed), 1.0));
        for (String weight : new String[] {"0", "-1", "1e999"}) {
            assertThatThrownBy(() -> DataArgument.of("a.txt:" + weight))
                    .isInstanceOf(UserError.class)
                    .hasMessageContainingAll("--data is a.txt:" + weight, "weight is " + weight, "above 0");
        }
    }

    private DataFile read(String name, String text, double heldOut) throws IOException {
        Path path = Files.writeString(folder.resolve(name), text);
        return DataFile.read(path, DataFormat.of(path, "text"), heldOut);
    }
}
