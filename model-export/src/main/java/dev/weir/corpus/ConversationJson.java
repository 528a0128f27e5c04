package dev.weir.corpus;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Conversations as JSON in the form that OpenAI's chat API has. Static functions; any thread. */
final class ConversationJson {
    private ConversationJson() {}

    static ObjectNode object(Conversation conversation) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.set("messages", messages(conversation.messages()));
        if (!conversation.tools().isEmpty()) {
            root.set("tools", tools(conversation.tools()));
        }
        return root;
    }

    static ArrayNode messages(List<Conversation.Message> messages) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        for (Conversation.Message message : messages) {
            ObjectNode node = array.addObject();
            switch (message) {
                case Conversation.Said said -> node.put("role", said.role()).put("content", said.content());
                case Conversation.Called called -> {
                    node.put("role", "assistant").putNull("content");
                    ObjectNode call = node.putArray("tool_calls").addObject();
                    call.put("id", called.id()).put("type", "function");
                    call.putObject("function").put("name", called.function()).put("arguments", called.arguments());
                }
                case Conversation.Returned returned ->
                    node.put("role", "tool").put("tool_call_id", returned.id()).put("content", returned.content());
            }
        }
        return array;
    }

    static ArrayNode tools(List<ToolFunction> tools) {
        ArrayNode array = JsonNodeFactory.instance.arrayNode();
        tools.forEach(tool -> array.add(tool.toJson()));
        return array;
    }

    /** JSON with a space after each comma and colon, as chat templates write it. */
    static String spaced(JsonNode node) {
        StringBuilder out = new StringBuilder();
        spaced(node, out);
        return out.toString();
    }

    private static void spaced(JsonNode node, StringBuilder out) {
        if (node.isObject()) {
            out.append('{');
            for (Iterator<Map.Entry<String, JsonNode>> fields =
                            node.properties().iterator();
                    fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                out.append(TextNode.valueOf(field.getKey())).append(": ");
                spaced(field.getValue(), out);
                out.append(fields.hasNext() ? ", " : "");
            }
            out.append('}');
        } else if (node.isArray()) {
            out.append('[');
            for (int i = 0; i < node.size(); i++) {
                out.append(i == 0 ? "" : ", ");
                spaced(node.get(i), out);
            }
            out.append(']');
        } else {
            out.append(node);
        }
    }
}
