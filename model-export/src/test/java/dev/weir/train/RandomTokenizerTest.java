package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomTokenizerTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {257, 300, 4096, 50257})
    void everyIdIsATextOfItsOwnAndAnyTextComesBack(int vocabularySize) throws IOException {
        Tokenizer tokenizer = load(vocabularySize);

        assertThat(tokenizer.vocabularySize()).isEqualTo(vocabularySize);
        assertThat(tokenizer.eosId()).hasValue(vocabularySize - 1);
        Set<String> texts = new HashSet<>();
        for (int id = 256; id < vocabularySize; id++) {
            assertThat(texts.add(tokenizer.decode(new int[] {id})))
                    .as("id " + id + " is a text of its own")
                    .isTrue();
        }
        String text = "The weir holds; œuvre, 水門 and 🌊 too.\n";
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }

    @Test
    void largeVocabulariesShortenText() throws IOException {
        assertThat(load(50257).encode("a weir holds the river back")).hasSizeLessThan(18);
    }

    @Test
    void vocabulariesWithoutRoomForTheBytesAreRefused() {
        assertThatThrownBy(() -> RandomTokenizer.json(256)).hasMessageContaining("vocabulary size is 256");
    }

    private Tokenizer load(int vocabularySize) throws IOException {
        Files.writeString(folder.resolve("tokenizer.json"), RandomTokenizer.json(vocabularySize));
        Files.writeString(folder.resolve("tokenizer_config.json"), RandomTokenizer.config(128));
        return Tokenizer.load(folder);
    }
}
