package dev.weir.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.SearchDefaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * How the model's maker wants chat answers to be sampled when a request does not say: the model folder's
 * {@code generation_config.json} where there is one, else the {@code search} section of {@code genai_config.json}. Immutable;
 * any thread.
 *
 * @param temperature softmax temperature, 0 to 2
 * @param topP nucleus, above 0 and at most 1
 * @param topK most likely tokens considered, 0 for all
 * @param stopStrings strings that end an answer
 */
record GenerationDefaults(double temperature, double topP, int topK, List<String> stopStrings) {
    static final String FILE = "generation_config.json";

    /** What the OpenAI API does. */
    static final GenerationDefaults NONE = new GenerationDefaults(1, 1, 0, List.of());

    GenerationDefaults {
        stopStrings = List.copyOf(stopStrings);
    }

    /**
     * Reads them from a model folder.
     *
     * @throws IllegalArgumentException naming the file and the field that is out of range
     * @throws IOException if the file cannot be read
     */
    static GenerationDefaults load(ModelFolder folder) throws IOException {
        Path file = folder.path().resolve(FILE);
        if (!Files.exists(file)) {
            return of(folder.search());
        }
        JsonNode root;
        try {
            root = new JsonMapper().readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(file + " is not JSON: " + e.getOriginalMessage(), e);
        }
        boolean greedy = root.has("do_sample") && !root.path("do_sample").asBoolean();
        return new GenerationDefaults(
                greedy ? 0 : number(file, root, "temperature", NONE.temperature, 0, 2),
                number(file, root, "top_p", NONE.topP, Double.MIN_NORMAL, 1),
                (int) number(file, root, "top_k", NONE.topK, 0, Integer.MAX_VALUE),
                strings(file, root.path("stop_strings")));
    }

    private static GenerationDefaults of(SearchDefaults search) {
        return new GenerationDefaults(
                search.doSample() ? search.temperature() : 0, search.topP(), search.topK(), List.of());
    }

    private static double number(Path file, JsonNode root, String name, double otherwise, double min, double max) {
        JsonNode value = root.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isNumber() || value.doubleValue() < min || value.doubleValue() > max) {
            throw new IllegalArgumentException(
                    file + ": " + name + " is " + value + " but must be a number from " + min + " to " + max);
        }
        return value.doubleValue();
    }

    private static List<String> strings(Path file, JsonNode value) {
        List<String> strings = new ArrayList<>();
        if (value.isTextual()) {
            strings.add(value.textValue());
        }
        for (JsonNode element : value) {
            strings.add(element.asText());
        }
        if (strings.contains("")) {
            throw new IllegalArgumentException(file + ": stop_strings holds an empty string; remove it");
        }
        return strings;
    }
}
