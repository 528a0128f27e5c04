package dev.weir.train;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.CharBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The documents of a file of JSON lines, one text for each line that is not blank and whose document is not empty. Owned by
 * one thread.
 */
final class JsonDocuments implements DataPieces {
    private static final int LONGEST_LINE = 1 << 26;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxStringLength(LONGEST_LINE)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final Path file;
    private final String key;
    private final Utf8Reader reader;
    private CharBuffer chunk = CharBuffer.allocate(0);
    private long number;

    /**
     * Reads a part of a file.
     *
     * @param key what a line has its document under
     * @param line the number of the first line, for messages
     */
    JsonDocuments(Path file, String key, Utf8Reader reader, long line) {
        this.file = file;
        this.key = key;
        this.reader = reader;
        this.number = line - 1;
    }

    @Override
    public @Nullable String next() throws IOException {
        String line;
        while ((line = nextLine()) != null) {
            if (!line.isBlank()) {
                String document = document(line);
                if (!document.isEmpty()) {
                    return document;
                }
            }
        }
        return null;
    }

    private @Nullable String nextLine() throws IOException {
        StringBuilder line = new StringBuilder();
        number++;
        while (true) {
            if (!chunk.hasRemaining()) {
                CharBuffer next = reader.next();
                if (next == null) {
                    return line.isEmpty() ? null : line.toString();
                }
                chunk = next;
            }
            int start = chunk.position();
            int stop = start;
            while (stop < chunk.limit() && chunk.get(stop) != '\n') {
                stop++;
            }
            if (line.length() + stop - start > LONGEST_LINE) {
                throw new UserError(
                        at() + "has more than " + LONGEST_LINE + " characters: split its document into several lines");
            }
            line.append(chunk.array(), start, stop - start);
            if (stop < chunk.limit()) {
                chunk.position(stop + 1);
                return line.toString();
            }
            chunk.position(stop);
        }
    }

    private String document(String line) {
        // Some programs begin a file with a mark of its byte order.
        String json = number == 1 && line.charAt(0) == '\uFEFF' ? line.substring(1) : line;
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new UserError(at() + "is not valid JSON: " + e.getOriginalMessage(), e);
        }
        if (!root.isObject()) {
            throw new UserError(at() + "is no JSON object: write {\"" + key + "\": \"...\"}");
        }
        JsonNode document = root.path(key);
        if (document.isMissingNode()) {
            List<String> names = new ArrayList<>();
            root.fieldNames().forEachRemaining(names::add);
            throw new UserError(at() + "has no \"" + key + "\" but " + names.subList(0, Math.min(8, names.size()))
                    + ": give each line one, or name the key of the text with --text-key");
        }
        if (!document.isTextual()) {
            String value = document.toString();
            throw new UserError(at() + key + " is " + (value.length() > 40 ? value.substring(0, 40) + "..." : value)
                    + ": it must be a text; name another key with --text-key");
        }
        return document.asText();
    }

    private String at() {
        return file + ", line " + number + ": ";
    }

    @Override
    public long position() {
        return reader.position();
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
