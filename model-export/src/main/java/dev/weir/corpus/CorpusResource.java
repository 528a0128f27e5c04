package dev.weir.corpus;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The lines of the corpus's text files, which lie beside the classes. Static functions; any thread. */
final class CorpusResource {
    private CorpusResource() {}

    /** The lines that are not comments, with the empty ones. */
    static List<String> lines(String name) {
        try (InputStream in = CorpusResource.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IllegalStateException("the class path has no corpus/" + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(String::strip)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
