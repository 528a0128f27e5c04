package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectionTest {
    private static final OptionalInt END = OptionalInt.of(9);

    @Test
    void eachDocumentIsTurnedAroundForItself() {
        assertThat(Direction.RTL.order(new int[] {1, 2, 3, 9, 4, 5, 9, 6}, END))
                .containsExactly(3, 2, 1, 9, 5, 4, 9, 6);
        assertThat(Direction.RTL.order(new int[] {9, 9, 1, 2}, END)).containsExactly(9, 9, 2, 1);
        assertThat(Direction.RTL.order(new int[] {1, 9, 2}, OptionalInt.empty()))
                .containsExactly(2, 9, 1);
        assertThat(Direction.RTL.order(new int[0], END)).isEmpty();
        assertThat(Direction.LTR.order(new int[] {1, 2, 9, 3}, END)).containsExactly(1, 2, 9, 3);
    }

    @Test
    void turnedTwiceATextIsAsItWas() {
        int[] tokens = {4, 1, 9, 2, 2, 7, 9};
        assertThat(Direction.RTL.order(Direction.RTL.order(tokens, END), END)).isEqualTo(tokens);
    }

    @Test
    void trainingReadsBothPartsTheModelsWay(@TempDir Path folder) throws IOException {
        BpeTrainer.train("", 257, List.of("<|endoftext|>")).write(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        String content = "abc<|endoftext|>def<|endoftext|>gh, and so on";
        Path file = Files.writeString(folder.resolve("data.txt"), content);
        GptConfig model = new GptConfig(1, 1, 8, 4, 257, 0).withDirection(Direction.RTL);

        TokenBatch held = TestData.tokenize(folder, 0.25, model, file.toString())
                .validationBatches(1, 4, 1)
                .getFirst();

        String validation = content.substring(content.length() * 3 / 4);
        String backwards = new StringBuilder(validation).reverse().toString();
        assertThat(Arrays.stream(held.ids()).mapToInt(id -> (int) id).toArray())
                .isEqualTo(tokenizer.encode(backwards.substring(0, 4)));
    }
}
