package dev.weir.train;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Files of text as tests read them. */
final class TestData {
    private TestData() {}

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
}
