package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.tokenizer.ChatTemplate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Conversations as JSON lines, {@code {"messages": [{"role": "user", "content": "Hi"}, ...], "tools": [...]}}: the form in which
 * OpenAI's API is fine-tuned. Immutable; any thread.
 *
 * @param file the text that they came from
 */
record ChatFile(TextFile file, List<ChatConversation> conversations) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final Set<String> ROLES = Set.of("system", "developer", "user", ChatConversation.ASSISTANT, "tool");
    private static final Set<String> KNOWN_APART = Set.of("role", "content");

    /**
     * Reads a file.
     *
     * @throws UserError naming the line and what is wrong there
     */
    static ChatFile of(TextFile file) {
        List<ChatConversation> conversations = new ArrayList<>();
        int line = 0;
        for (String json : file.text().lines().toList()) {
            line++;
            if (!json.isBlank()) {
                conversations.add(learned(json, line, file.file() + ", line " + line + ": "));
            }
        }
        return new ChatFile(file, List.copyOf(conversations));
    }

    private static ChatConversation learned(String json, int line, String at) {
        ChatConversation conversation = conversation(json(json, at), line, at);
        if (conversation.messages().stream().noneMatch(message -> message.role().equals(ChatConversation.ASSISTANT))) {
            throw new UserError(at + "no message is the assistant's, so there is nothing to learn: "
                    + "add its answer or remove the line");
        }
        return conversation;
    }

    /** A line's JSON; {@code at} is where it stands, for messages. */
    static JsonNode json(String line, String at) {
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new UserError(at + "is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }

    /** The conversation in a line's JSON. */
    static ChatConversation conversation(JsonNode root, int line, String at) {
        JsonNode messages = root.path("messages");
        if (!messages.isArray() || messages.isEmpty()) {
            throw new UserError(at + "messages is " + shown(messages)
                    + ": give a list such as [{\"role\": \"user\", \"content\": \"Hi\"}, "
                    + "{\"role\": \"assistant\", \"content\": \"Hello!\"}]");
        }
        List<ChatTemplate.Message> read = new ArrayList<>();
        for (JsonNode message : messages) {
            read.add(message(message, at + "messages[" + read.size() + "]"));
        }
        JsonNode tools = root.path("tools");
        if (!tools.isMissingNode() && !tools.isNull() && !tools.isArray()) {
            throw new UserError(at + "tools is " + shown(tools) + ": give a list of functions or leave it out");
        }
        return new ChatConversation(line, List.copyOf(read), tools);
    }

    private static ChatTemplate.Message message(JsonNode message, String at) {
        String role = message.path("role").asText();
        if (!ROLES.contains(role)) {
            throw new UserError(
                    at + ".role is " + shown(message.path("role")) + ": it must be system, user, assistant or tool");
        }
        Map<String, JsonNode> more = new HashMap<>();
        message.properties().forEach(field -> {
            if (!KNOWN_APART.contains(field.getKey())) {
                more.put(field.getKey(), field.getValue());
            }
        });
        JsonNode content = message.path("content");
        boolean saysNothing = content.isNull() || content.isMissingNode();
        boolean calls = role.equals(ChatConversation.ASSISTANT)
                && !message.path("tool_calls").isEmpty();
        if (!content.isTextual() && !(saysNothing && calls)) {
            throw new UserError(at + ".content is " + shown(content) + ": it must be a text"
                    + (role.equals(ChatConversation.ASSISTANT) ? ", or null beside tool_calls" : ""));
        }
        return new ChatTemplate.Message(role, content.textValue(), more);
    }

    /** A value as an error shows it. */
    static String shown(JsonNode node) {
        String value = node.isMissingNode() ? "missing" : node.toString();
        return value.length() > 60 ? value.substring(0, 60) + "..." : value;
    }
}
