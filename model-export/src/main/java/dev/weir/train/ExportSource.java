package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
 * @param sampling how the server is to sample where it is told nothing
 */
record ExportSource(
        GptWeights weights,
        OptionalInt endOfText,
        Map<String, String> files,
        String origin,
        String training,
        SamplingDefaults sampling) {
    static final String CHAT_TEMPLATE = "chat_template.jinja";
    /** How the model's maker wants it sampled, which the server heeds before anything else. */
    static final String GENERATION_CONFIG = "generation_config.json";
    /** What goes with the weights, where it is there. */
    static final List<String> FILES =
            List.of("tokenizer.json", "tokenizer_config.json", CHAT_TEMPLATE, GENERATION_CONFIG);

    /** A model that is sampled as any other. */
    ExportSource(GptWeights weights, OptionalInt endOfText, Map<String, String> files, String origin, String training) {
        this(weights, endOfText, files, origin, training, SamplingDefaults.NONE);
    }

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

    /** The same with room for the tokens that adapters bring, and the tokenizer that has them. */
    ExportSource withAdapters(List<LoraAdapter> adapters) {
        Map<String, String> more = new LinkedHashMap<>(files);
        int vocabulary = 0;
        for (LoraAdapter adapter : adapters) {
            vocabulary = Math.max(vocabulary, adapter.endOfTokens());
            more.putAll(adapter.tokenizer());
        }
        return new ExportSource(WiderVocabulary.of(weights, vocabulary), endOfText, more, origin, training);
    }

    /** The same with a chat template, in place of its own if it had one. */
    ExportSource withChatTemplate(String template) {
        Map<String, String> more = new LinkedHashMap<>(files);
        more.put(CHAT_TEMPLATE, template);
        return new ExportSource(weights, endOfText, more, origin, training, sampling);
    }

    /**
     * The same to be sampled so, whatever its own files say.
     *
     * @throws UserError if such a file cannot be read
     */
    ExportSource withSampling(SamplingDefaults defaults) {
        Map<String, String> changed = new LinkedHashMap<>(files);
        String own = files.get(GENERATION_CONFIG);
        if (own != null && !defaults.isEmpty()) {
            try {
                if (!(new ObjectMapper().readTree(own) instanceof ObjectNode root)) {
                    throw new UserError(GENERATION_CONFIG + " is no JSON object: mend it, or take it away");
                }
                defaults.writeTo(root);
                changed.put(GENERATION_CONFIG, root.toPrettyString() + "\n");
            } catch (JsonProcessingException e) {
                throw new UserError(GENERATION_CONFIG + " is not valid JSON: " + e.getOriginalMessage(), e);
            }
        }
        return new ExportSource(weights, endOfText, changed, origin, training, defaults);
    }
}
