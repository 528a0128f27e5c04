package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A model to export and the files that go with it. Immutable; any thread.
 *
 * @param endOfText id of the token that ends a text, if the tokenizer has one
 * @param files the tokenizer's files by name
 * @param origin where the weights come from, one line for the model card
 */
record ExportSource(GptWeights weights, OptionalInt endOfText, Map<String, String> files, String origin) {
    private static final List<String> TOKENIZER_FILES =
            List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja");

    /** A model that pretrain wrote, or a GPT-2 in Hugging Face's files. */
    static ExportSource checkpoint(Path folder) throws IOException {
        Checkpoint checkpoint = Checkpoint.open(folder);
        Map<String, String> files = new LinkedHashMap<>();
        for (String name : TOKENIZER_FILES) {
            if (Files.isRegularFile(folder.resolve(name))) {
                files.put(name, Files.readString(folder.resolve(name)));
            }
        }
        Tokenizer tokenizer = Tokenizer.load(folder);
        int vocabulary = checkpoint.config().vocabularySize();
        if (tokenizer.vocabularySize() > vocabulary) {
            throw new UserError(folder.resolve("tokenizer.json") + " has " + tokenizer.vocabularySize()
                    + " tokens but the model only " + vocabulary + ": they are not from the same training");
        }
        return new ExportSource(checkpoint, tokenizer.eosId(), files, "checkpoint " + folder.getFileName());
    }

    /** A model with random weights and a tokenizer of its size. */
    static ExportSource random(GptConfig config, long seed) {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("tokenizer.json", RandomTokenizer.json(config.vocabularySize()));
        files.put("tokenizer_config.json", RandomTokenizer.config(config.context()));
        return new ExportSource(
                new RandomGptWeights(config, seed),
                OptionalInt.of(RandomTokenizer.endOfText(config.vocabularySize())),
                files,
                "random weights of seed " + seed + "; it has learned nothing and answers nonsense");
    }
}
