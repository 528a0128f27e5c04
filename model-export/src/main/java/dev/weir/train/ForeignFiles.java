package dev.weir.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A folder that somebody else wrote: whether it has the files that are read here, or others, and then what makes of those
 * what is read. Static functions; any thread.
 */
final class ForeignFiles {
    private static final List<String> NEEDED = List.of(GptConfigFile.NAME, Checkpoint.WEIGHTS, "tokenizer.json");

    /** How the names of weights in other formats end. */
    private static final List<String> WEIGHTS = List.of(
            ".safetensors.index.json",
            ".bin",
            ".pt",
            ".pth",
            ".ckpt",
            ".h5",
            ".msgpack",
            ".ot",
            ".gguf",
            ".onnx",
            ".safetensors");

    /** The files of other tokenizers. */
    private static final List<String> TOKENIZERS =
            List.of("vocab.json", "merges.txt", "vocab.bpe", "encoder.json", "spiece.model", "tokenizer.model");

    private ForeignFiles() {}

    /**
     * Refuses a folder that lacks a file.
     *
     * @throws UserError naming that file, what is there in its place, and how to make the one of the other
     */
    static void require(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new UserError("--from is " + folder
                    + ", which is no folder: give one with a GPT-2 or openai-gpt in Hugging " + "Face's files");
        }
        for (String name : NEEDED) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new UserError("--from is " + folder + ", which has no " + name + instead(folder, name));
            }
        }
    }

    private static String instead(Path folder, String name) throws IOException {
        return switch (name) {
            case Checkpoint.WEIGHTS -> {
                String found = first(folder, WEIGHTS);
                yield found.isEmpty()
                        ? ": download the model's weights too"
                        : " but " + found + ": make one with Hugging Face's transformers, AutoModelForCausalLM"
                                + ".from_pretrained(DIR).save_pretrained(DIR, max_shard_size=\"100GB\")";
            }
            case GptConfigFile.NAME -> ": give a folder with a GPT-2 or openai-gpt in Hugging Face's files";
            default -> {
                String found = first(folder, TOKENIZERS);
                yield (found.isEmpty() ? "" : " but " + found)
                        + ": make one with Hugging Face's transformers, AutoTokenizer.from_pretrained(DIR)"
                        + ".save_pretrained(DIR)";
            }
        };
    }

    /** The first file, by name, that ends in one of these; empty if none does. */
    private static String first(Path folder, List<String> endings) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> endings.stream().anyMatch(name::endsWith))
                    .sorted()
                    .findFirst()
                    .orElse("");
        }
    }
}
