package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Files of text as tests read them. */
final class TestData {
    private TestData() {}

    /** A cache that prints nothing, on a disk without end. */
    static TokenCache cache(Path folder) {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        return new TokenCache(folder, () -> Long.MAX_VALUE, 2, nowhere);
    }

    /** Tokenises files with the tokenizer of a folder, which then also has their tokens. */
    static TokenizedText tokenize(Path folder, double heldOut, GptConfig model, String... arguments)
            throws IOException {
        return TrainingData.read(List.of(arguments), "text", heldOut)
                .tokenize(
                        Tokenizer.load(folder),
                        RunFolder.tokenizerSha256(folder),
                        model,
                        cache(folder.resolve("tokens")));
    }

    /** Reads pieces to their end. */
    static List<String> all(DataPieces pieces) throws IOException {
        List<String> texts = new ArrayList<>();
        try (pieces) {
            for (String piece = pieces.next(); piece != null; piece = pieces.next()) {
                texts.add(piece);
            }
        }
        return texts;
    }

    static int[] array(TokenIds ids) {
        int[] array = new int[Math.toIntExact(ids.length())];
        for (int i = 0; i < array.length; i++) {
            array[i] = ids.at(i);
        }
        return array;
    }

    /** The id of a byte in every tokenizer trained here. */
    static int byteId(char letter) {
        // Ids of bytes go by their characters; those before the printable ones come after all of Latin-1.
        return letter - '!';
    }
}
