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
 * @param files the texts that go into the model folder as they are, by name
 * @param origin where the weights come from, one line for the model card
 * @param training how the weights were trained, in Markdown; empty where nothing is known of it
 */
record ExportSource(
        GptWeights weights, OptionalInt endOfText, Map<String, String> files, String origin, String training) {
    static final String CHAT_TEMPLATE = "chat_template.jinja";
    /** What goes with the weights, where it is there. */
    static final List<String> FILES =
            List.of("tokenizer.json", "tokenizer_config.json", CHAT_TEMPLATE, "generation_config.json");

    /** A model that pretrain wrote, or a GPT in Hugging Face's files. */
    static ExportSource checkpoint(Path folder) throws IOException {
        Checkpoint checkpoint = Checkpoint.open(folder);
        Map<String, String> files = new LinkedHashMap<>();
        for (String name : FILES) {
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
        if (!files.getOrDefault("tokenizer_config.json", "").contains("\"chat_template\"")) {
            files.putIfAbsent(CHAT_TEMPLATE, ChatTemplates.continuing());
        }
        Path card = folder.resolve(TrainingCard.FILE);
        return new ExportSource(
                checkpoint,
                tokenizer.eosId().isPresent()
                        ? tokenizer.eosId()
                        : GptConfigFile.endOfText(folder, checkpoint.config()),
                files,
                "checkpoint " + folder.getFileName(),
                Files.isRegularFile(card) ? Files.readString(card) : "");
    }

    /** A model with random weights and a tokenizer of its size. */
    static ExportSource random(GptConfig config, long seed) {
        Map<String, String> files = new LinkedHashMap<>();
        files.put("tokenizer.json", RandomTokenizer.json(config.vocabularySize()));
        files.put("tokenizer_config.json", RandomTokenizer.config(config.context()));
        files.put(CHAT_TEMPLATE, ChatTemplates.continuing());
        return new ExportSource(
                new RandomGptWeights(config, seed),
                OptionalInt.of(RandomTokenizer.endOfText(config.vocabularySize())),
                files,
                "random weights of seed " + seed + "; it has learned nothing and answers nonsense",
                "");
    }

    /** The same with a chat template, in place of its own if it had one. */
    ExportSource withChatTemplate(String template) {
        Map<String, String> more = new LinkedHashMap<>(files);
        more.put(CHAT_TEMPLATE, template);
        return new ExportSource(weights, endOfText, more, origin, training);
    }
}
