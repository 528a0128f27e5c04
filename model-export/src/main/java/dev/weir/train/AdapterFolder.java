package dev.weir.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a low-rank adaptation has learned, by itself, in the files and names of Hugging Face's PEFT: {@code adapter_config.json} and
 * {@code adapter_model.safetensors} (<a href="https://huggingface.co/docs/peft/developer_guides/checkpoint">format</a>). Static
 * functions; any thread.
 *
 * <p>PEFT's matrices lie the other way round, {@code A [rank, in]} and {@code B [out, rank]}. Its "trainable tokens" hold the rows
 * of the token embedding that are new. It has no word for the head of a task nor for the digest of the base: the head's tensors
 * stand beside the others and the rest in the notes of the safetensors file, where PEFT does not look. {@link AdapterReader}
 * reads it.
 */
final class AdapterFolder {
    /**
     * The folder in a model's folder: one of its own, since Hugging Face's libraries take what has an adapter_config.json for nothing
     * but an adapter.
     */
    static final String NAME = "adapter";

    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";
    /** What PEFT puts before a name, and Hugging Face's language models before that of their body. */
    static final String PREFIX = "base_model.model.";

    static final String BODY = "transformer.";
    static final String A = ".lora_A.weight";
    static final String B = ".lora_B.weight";
    static final String TOKENS = ".token_adapter.trainable_tokens_delta";
    static final String BASE_NOTE = "base-sha256";
    static final String HEAD_NOTE = "head";

    private AdapterFolder() {}

    /** Writes what such weights have learned into a folder, made if need be. */
    static void write(Path folder, GptWeights weights) throws IOException {
        Lora lora = weights.lora().orElseThrow();
        Files.createDirectories(folder);
        writeWeights(folder.resolve(WEIGHTS), weights, lora);
        AtomicFile.writeString(
                folder.resolve(CONFIG), config(weights.config(), lora).toPrettyString() + "\n");
    }

    private static void writeWeights(Path file, GptWeights weights, Lora lora) throws IOException {
        int rank = lora.rank();
        SafetensorsWriter writer = new SafetensorsWriter().note("format", "pt").note(BASE_NOTE, lora.baseSha256());
        Lora.matrices(weights.config()).forEach((name, shape) -> {
            int in = (int) shape[0];
            int out = (int) shape[1];
            writer.add(
                    PREFIX + BODY + name + A,
                    new long[] {rank, in},
                    () -> LowRank.transposed(weights.tensor(Lora.a(name)), in, rank, 1));
            writer.add(
                    PREFIX + BODY + name + B,
                    new long[] {out, rank},
                    () -> LowRank.transposed(weights.tensor(Lora.b(name)), rank, out, 1));
        });
        int width = weights.config().width();
        int tokens = lora.endNew() - lora.firstNew();
        if (tokens > 0) {
            String table = weights.config().family().tokenEmbedding();
            writer.add(
                    PREFIX + BODY + stem(table) + TOKENS,
                    new long[] {tokens, width},
                    () -> Arrays.copyOfRange(weights.tensor(table), lora.firstNew() * width, lora.endNew() * width));
        }
        if (weights.head().isPresent()) {
            TaskHead head = weights.head().get();
            head.tensorShapes(width)
                    .forEach((name, shape) -> writer.add(PREFIX + name, shape, () -> weights.tensor(name)));
            ObjectNode note = new ObjectMapper().createObjectNode();
            head.writeTo(note);
            writer.note(HEAD_NOTE, note.toString());
        }
        writer.write(file);
    }

    private static ObjectNode config(GptConfig model, Lora lora) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        root.put("peft_type", "LORA");
        root.put("task_type", "CAUSAL_LM");
        root.put("base_model_name_or_path", lora.base());
        root.put("r", lora.rank());
        root.put("lora_alpha", lora.alpha());
        root.put("lora_dropout", 0.0);
        ArrayNode targets = root.putArray("target_modules");
        Set<String> names = new HashSet<>();
        for (String matrix : Lora.matrices(model).keySet()) {
            String name = matrix.substring(matrix.lastIndexOf('.') + 1);
            if (names.add(name)) {
                targets.add(name);
            }
        }
        root.put("fan_in_fan_out", true); // Conv1D's matrices are [in, out]
        root.put("bias", "none");
        root.put("inference_mode", true);
        if (lora.endNew() > lora.firstNew()) {
            ArrayNode ids = root.putObject("trainable_token_indices")
                    .putArray(stem(model.family().tokenEmbedding()));
            IntStream.range(lora.firstNew(), lora.endNew()).forEach(ids::add);
        }
        return root;
    }

    /** The name of a tensor's module. */
    static String stem(String tensor) {
        return tensor.replaceFirst("\\.weight$", "");
    }
}
