package dev.weir.server;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The file that API keys are kept in: {@code {"keys": [{"name": ..., "sha256": ..., ...}]}}, for people to read. It holds
 * hashes only, and errors never quote what stands where a hash should.
 */
final class KeyFile {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    private static final Set<String> FIELDS = Set.of(
            "name",
            "sha256",
            "tenant",
            "requests_per_minute",
            "tokens_per_minute",
            "concurrent",
            "models",
            "origins",
            "expires");

    private KeyFile() {}

    /**
     * Reads all keys.
     *
     * @throws NoSuchFileException if there is no such file
     * @throws IllegalArgumentException naming the file, the entry and the field that is wrong; a field that is misspelt is
     *     wrong too, for it might be a limit
     */
    static List<ApiKey> read(Path file) throws IOException {
        JsonNode root;
        try {
            root = MAPPER.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            JsonLocation at = e.getLocation();
            throw new IllegalArgumentException(
                    file + " is not JSON"
                            + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr()),
                    null); // the parser quotes what it found, which may be a key
        }
        if (!root.path("keys").isArray()) {
            throw new IllegalArgumentException(file + " has no list \"keys\"; make one with: weir key create");
        }
        List<ApiKey> keys = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Set<String> hashes = new HashSet<>();
        for (JsonNode entry : root.path("keys")) {
            ApiKey key;
            try {
                key = key(entry);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(file + ": keys[" + keys.size() + "]: " + e.getMessage(), e);
            }
            if (!names.add(key.name()) || !hashes.add(key.sha256())) {
                throw new IllegalArgumentException(file + ": keys[" + keys.size() + "]: \"" + key.name()
                        + "\" is there twice, by its name or its sha256; remove one");
            }
            keys.add(key);
        }
        return keys;
    }

    /** Replaces the file at once, so that who reads it meanwhile gets the old or the new one whole; mode 0600. */
    static void write(Path file, List<ApiKey> keys) throws IOException {
        ObjectNode root = MAPPER.createObjectNode();
        ArrayNode entries = root.putArray("keys");
        keys.forEach(key -> write(entries.addObject(), key));
        byte[] text = (MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n")
                .getBytes(StandardCharsets.UTF_8);
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        Path folder = Objects.requireNonNull(target.getParent(), "a file is in a folder");
        FileAttribute<?>[] ownersOnly =
                folder.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                        }
                        : new FileAttribute<?>[0];
        Path fresh = Files.createTempFile(folder, ".keys", ".json", ownersOnly);
        try {
            Files.write(fresh, text, StandardOpenOption.SYNC);
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private static ApiKey key(JsonNode entry) {
        entry.fieldNames().forEachRemaining(field -> {
            if (!FIELDS.contains(field)) {
                throw new IllegalArgumentException(field + " is no field of a key; the fields are "
                        + String.join(", ", FIELDS.stream().sorted().toList()));
            }
        });
        String name = text(entry, "name");
        String sha256 = text(entry, "sha256");
        if (name == null || sha256 == null) {
            throw new IllegalArgumentException("a key needs a name and a sha256; make one with: weir key create");
        }
        return new ApiKey(
                name,
                sha256,
                text(entry, "tenant"),
                new ApiKey.Limits(
                        number(entry, "requests_per_minute"),
                        number(entry, "tokens_per_minute"),
                        number(entry, "concurrent")),
                texts(entry, "models"),
                texts(entry, "origins"),
                date(entry, "expires"));
    }

    private static void write(ObjectNode entry, ApiKey key) {
        entry.put("name", key.name()).put("sha256", key.sha256());
        if (key.tenant() != null) {
            entry.put("tenant", key.tenant());
        }
        write(entry, "requests_per_minute", key.limits().requestsPerMinute());
        write(entry, "tokens_per_minute", key.limits().tokensPerMinute());
        write(entry, "concurrent", key.limits().concurrent());
        write(entry, "models", key.models());
        write(entry, "origins", key.origins());
        if (key.expires() != null) {
            entry.put("expires", key.expires().toString());
        }
    }

    private static void write(ObjectNode entry, String field, int limit) {
        if (limit > 0) {
            entry.put(field, limit);
        }
    }

    private static void write(ObjectNode entry, String field, List<String> values) {
        if (!values.isEmpty()) {
            values.forEach(entry.putArray(field)::add);
        }
    }

    private static @Nullable String text(JsonNode entry, String field) {
        JsonNode value = entry.path(field);
        if (value.isMissingNode()) {
            return null;
        }
        if (!value.isTextual()) {
            throw new IllegalArgumentException(field + " must be a text in quotation marks");
        }
        return value.textValue();
    }

    private static int number(JsonNode entry, String field) {
        JsonNode value = entry.path(field);
        if (value.isMissingNode()) {
            return 0;
        }
        if (!value.isInt()) {
            throw new IllegalArgumentException(field + " is " + value + " but must be a whole number");
        }
        return value.intValue();
    }

    private static List<String> texts(JsonNode entry, String field) {
        JsonNode value = entry.path(field);
        List<String> texts = new ArrayList<>();
        for (JsonNode element : value) {
            if (element.isTextual()) {
                texts.add(element.textValue());
            }
        }
        if (!value.isMissingNode() && (!value.isArray() || texts.size() != value.size())) {
            throw new IllegalArgumentException(field + " must be a list of texts in quotation marks");
        }
        return texts;
    }

    private static @Nullable LocalDate date(JsonNode entry, String field) {
        String value = text(entry, field);
        try {
            return value == null ? null : LocalDate.parse(value);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    field + " is \"" + value + "\" but must be a date such as 2027-01-31", e);
        }
    }
}
