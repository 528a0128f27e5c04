package dev.weir.train;

import java.nio.file.Path;
import java.util.Locale;

/** How a file holds text to train on. Immutable; any thread. */
sealed interface DataFormat {
    /** UTF-8 as it is; {@code <|endoftext|>} written out ends a document. */
    record Plain() implements DataFormat {}

    /**
     * A JSON object with a document in each line. Whatever a document spells is text: only the ends of lines end documents.
     *
     * @param key what the document is under
     */
    record JsonLines(String key) implements DataFormat {}

    /** The format that a file's name stands for. */
    static DataFormat of(Path file, String textKey) {
        String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
        return name.endsWith(".jsonl") ? new JsonLines(textKey) : new Plain();
    }

    /** What it is, for digests and messages. */
    default String label() {
        return switch (this) {
            case Plain() -> "plain text";
            case JsonLines(String key) -> "JSON lines with \"" + key + "\"";
        };
    }
}
