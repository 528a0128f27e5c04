package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Functions and their calls as chat templates see them: in the form of OpenAI's chat API. Any thread. */
public final class TemplateJson {
    private static final String NO_PARAMETERS = "{\"type\":\"object\",\"properties\":{}}";

    private TemplateJson() {}

    /** The functions that are offered, possibly none. */
    public static JsonNode tools(Tools tools) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        if (tools.areOffered()) {
            for (FunctionTool tool : tools.functions()) {
                ObjectNode function = list.addObject().put("type", "function").putObject("function");
                function.put("name", tool.name());
                if (tool.description() != null) {
                    function.put("description", tool.description());
                }
                function.set("parameters", Json.tree(tool.parameters() == null ? NO_PARAMETERS : tool.parameters()));
            }
        }
        return list;
    }

    /** What a message has beside its role and content. */
    public static Map<String, JsonNode> fields(ChatMessage message) {
        Map<String, JsonNode> fields = new LinkedHashMap<>();
        if (!message.calls().isEmpty()) {
            ArrayNode calls = JsonNodeFactory.instance.arrayNode();
            for (ToolCall call : message.calls()) {
                ObjectNode function = calls.addObject()
                        .put("id", call.id())
                        .put("type", "function")
                        .putObject("function");
                function.put("name", call.name()).put("arguments", call.arguments());
            }
            fields.put("tool_calls", calls);
        }
        if (message.callId() != null) {
            fields.put("tool_call_id", TextNode.valueOf(message.callId()));
        }
        return fields;
    }
}
