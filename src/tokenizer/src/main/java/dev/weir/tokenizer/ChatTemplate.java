package dev.weir.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What writes a conversation as the one text that a model was trained on: a model folder's {@code chat_template.jinja}, or the
 * {@code chat_template} of its {@code tokenizer_config.json}. Immutable; any thread.
 *
 * <p>Templates mean what they mean to Hugging Face's {@code apply_chat_template}: they see {@code messages}, {@code
 * add_generation_prompt}, the special tokens that {@code tokenizer_config.json} names, {@code raise_exception} and {@code
 * strftime_now}. What a template would make of a Jinja feature that is not supported is never guessed: it is refused.
 */
public final class ChatTemplate {
    private static final List<String> NAMED_TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private final JinjaStatement body;
    private final Map<String, Object> variables;

    /**
     * A message.
     *
     * @param role who speaks: {@code system}, {@code user}, {@code assistant} or {@code tool}; taken as the template's own text,
     *     so not for words that a user chose
     * @param content what they say, null for nothing; never read as template code or as special tokens
     * @param more what else the message has, such as {@code tool_calls} in the form of OpenAI's chat API; as little trusted as
     *     the content. Arguments that are JSON in a string are given to the template as what they stand for
     */
    public record Message(String role, @Nullable String content, Map<String, JsonNode> more) {
        /** A message that only says something. */
        public Message(String role, String content) {
            this(role, content, Map.of());
        }
    }

    private ChatTemplate(JinjaStatement body, Map<String, Object> variables) {
        this.body = body;
        this.variables = variables;
    }

    /**
     * Loads a model folder's template, if it has one.
     *
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the template has a syntax error, naming the file and the line
     */
    public static Optional<ChatTemplate> load(Path modelFolder) throws IOException {
        Path configFile = modelFolder.resolve("tokenizer_config.json");
        JsonNode config = Files.isRegularFile(configFile) ? TokenizerFile.parse(configFile) : MissingNode.getInstance();
        Path file = modelFolder.resolve("chat_template.jinja");
        String source;
        String place;
        if (Files.isRegularFile(file)) {
            source = read(file);
            place = file.toString();
        } else {
            source = source(config.path("chat_template"), configFile);
            place = configFile + ": chat_template";
        }
        if (source.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Optional.of(parse(source, namedTokens(config), Clock.system(ZoneId.systemDefault())));
        } catch (JinjaError e) {
            throw new IllegalArgumentException(place + ", " + e.getMessage(), e);
        }
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + " is not UTF-8", e);
        }
    }

    private static String source(JsonNode template, Path file) {
        if (!template.isArray()) {
            return template.asText("");
        }
        for (JsonNode candidate : template) {
            if (candidate.path("name").asText().equals("default")) {
                return candidate.path("template").asText();
            }
        }
        throw new IllegalArgumentException(file + ": chat_template lists templates but none that is named \"default\"");
    }

    private static Map<String, String> namedTokens(JsonNode config) {
        Map<String, String> tokens = new HashMap<>();
        for (String name : NAMED_TOKENS) {
            JsonNode token = config.path(name);
            String text = token.isObject() ? token.path("content").asText() : token.asText("");
            if (!token.isNull() && !text.isEmpty()) {
                tokens.put(name, text);
            }
        }
        return tokens;
    }

    /**
     * A template from its source.
     *
     * @throws JinjaError if it has a syntax error, naming the line
     */
    static ChatTemplate parse(String source, Map<String, String> namedTokens, Clock clock) {
        Map<String, Object> variables = JinjaGlobals.functions(clock);
        variables.put("tools", Python.None.NONE);
        variables.put("documents", Python.None.NONE);
        namedTokens.forEach((name, token) -> variables.put(name, MarkedText.trusted(token)));
        try {
            return new ChatTemplate(JinjaParser.parse(source), Map.copyOf(variables));
        } catch (StackOverflowError e) {
            throw new JinjaError("the template nests too deeply");
        }
    }

    /**
     * Writes a conversation without tools.
     *
     * @see #render(List, JsonNode, boolean)
     */
    public MarkedText render(List<Message> messages, boolean opensAnswer) {
        return render(messages, MissingNode.getInstance(), opensAnswer);
    }

    /**
     * Writes a conversation.
     *
     * @param tools the functions that the assistant may call, as OpenAI's chat API has them; missing for none
     * @param opensAnswer whether the text ends where the assistant's next message begins
     * @return the text, in which the messages' contents are marked as coming from outside
     * @throws IllegalArgumentException if the template refuses the conversation, in its own words, or has an error, with its line
     */
    public MarkedText render(List<Message> messages, JsonNode tools, boolean opensAnswer) {
        JinjaScope scope = new JinjaScope(variables);
        scope.set("messages", values(messages));
        scope.set("add_generation_prompt", opensAnswer);
        if (!tools.isEmpty()) {
            scope.set("tools", JinjaValues.of(tools));
        }
        MarkedText.Builder out = new MarkedText.Builder();
        try {
            body.run(scope, out);
        } catch (StackOverflowError e) {
            throw new JinjaError("the template calls itself too often");
        }
        return out.build();
    }

    private static List<Object> values(List<Message> messages) {
        List<Object> values = new ArrayList<>();
        for (Message message : messages) {
            Map<Object, Object> value = new LinkedHashMap<>();
            value.put(MarkedText.trusted("role"), MarkedText.trusted(message.role()));
            value.put(
                    MarkedText.trusted("content"),
                    message.content() == null ? Python.None.NONE : MarkedText.untrusted(message.content()));
            message.more()
                    .forEach((name, field) -> value.put(MarkedText.untrusted(name), JinjaValues.ofField(name, field)));
            values.add(value);
        }
        return values;
    }
}
