package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads conversations: the {@code messages} of chats and the {@code input} of responses. Any thread. */
final class MessageReader {
    private static final Set<String> TEXT_PARTS = Set.of("text", "input_text", "output_text");
    private static final String NAME_REMEDY = "send the name of the function that is called";

    private MessageReader() {}

    /** The messages of a chat. */
    static List<ChatMessage> messages(Fields fields, String name) {
        List<ChatMessage> messages = new ArrayList<>();
        for (Fields message : list(fields, name)) {
            requireType(message, "message: other items are not supported");
            messages.add(message(message, true));
        }
        return messages;
    }

    /** The input of a response: a text, or items. */
    static List<ChatMessage> input(Fields fields) {
        JsonNode input = fields.required("input", "send a string or a list of messages");
        if (input.isTextual()) {
            if (input.textValue().isEmpty()) {
                throw fields.empty("input", "send at least one character");
            }
            return List.of(new ChatMessage("user", input.textValue()));
        }
        return items(fields, "input");
    }

    /** Items under a name, at least one. */
    static List<ChatMessage> items(Fields fields, String name) {
        List<ChatMessage> messages = new ArrayList<>();
        for (Fields item : list(fields, name)) {
            item(item).addTo(messages);
        }
        return messages;
    }

    /** One item as a message. */
    static ChatMessage item(Fields item) {
        String type = item.string("type");
        return switch (type == null ? "message" : type) {
            case "function_call" -> ChatMessage.assistant("", List.of(call(item, item, "call_id")));
            case "function_call_output" ->
                ChatMessage.result(
                        item.requiredString("call_id", "send the call_id of the call that gave this"),
                        text(item, "output"));
            default -> {
                requireType(item, "message, function_call or function_call_output: other items are not supported");
                yield message(item, false);
            }
        };
    }

    private static List<Fields> list(Fields fields, String name) {
        JsonNode array = fields.required(name, "send at least one message");
        if (!array.isArray()) {
            throw fields.wrongType(name, array, "a list of messages");
        }
        if (array.isEmpty()) {
            throw fields.empty(name, "send at least one message");
        }
        return fields.objects(name, array);
    }

    private static void requireType(Fields fields, String expected) {
        String type = fields.string("type");
        if (type != null && !type.equals("message")) {
            throw fields.wrongValue("type", type, expected);
        }
    }

    /** A message; in a chat it may hold calls or be the result of one. */
    private static ChatMessage message(Fields fields, boolean isChat) {
        if (fields.has("function_call")) {
            throw ProtocolException.invalid(
                    "unsupported_parameter",
                    fields.path("function_call"),
                    fields.path("function_call") + " is set, which this server does not support; send tool_calls");
        }
        String role = fields.requiredString("role", "send system, user or assistant");
        List<ToolCall> calls = calls(fields);
        if (!calls.isEmpty() && !(isChat && role.equals(ChatMessage.ASSISTANT))) {
            throw ProtocolException.invalid(
                    "invalid_value",
                    fields.path("tool_calls"),
                    fields.path("tool_calls")
                            + (isChat
                                    ? " is set but the role is \"" + Json.abbreviate(role)
                                            + "\"; only the assistant calls functions"
                                    : " is set; send a call as an item of the type function_call"));
        }
        return switch (role) {
            case "system", "user" -> new ChatMessage(role, text(fields, "content"));
            case "developer" -> new ChatMessage("system", text(fields, "content"));
            case ChatMessage.ASSISTANT -> {
                boolean isSilent = !calls.isEmpty() && !fields.has("content");
                yield ChatMessage.assistant(isSilent ? "" : text(fields, "content"), calls);
            }
            case "tool" -> {
                if (!isChat) {
                    throw fields.wrongValue(
                            "role", role, "another; send a result as an item of the type function_call_output");
                }
                String callId = fields.requiredString("tool_call_id", "send the id of the call that gave this");
                yield ChatMessage.result(callId, text(fields, "content"));
            }
            default -> throw fields.wrongValue("role", role, "system, developer, user, assistant or tool");
        };
    }

    private static List<ToolCall> calls(Fields fields) {
        JsonNode array = fields.value("tool_calls");
        if (array == null) {
            return List.of();
        }
        if (!array.isArray()) {
            throw fields.wrongType("tool_calls", array, "a list of calls");
        }
        List<ToolCall> calls = new ArrayList<>();
        for (Fields call : fields.objects("tool_calls", array)) {
            String type = call.string("type");
            if (type != null && !type.equals("function")) {
                throw call.wrongValue("type", type, "function: other calls are not supported");
            }
            call.required("function", "send the function's name and arguments in it");
            Fields function = call.object("function");
            calls.add(call(call, function == null ? call : function, "id"));
        }
        return calls;
    }

    private static ToolCall call(Fields fields, Fields function, String idName) {
        String id = fields.requiredString(idName, "send the id that the call came with");
        String name = ToolsReader.name(function, NAME_REMEDY);
        String arguments = function.requiredString("arguments", "send a JSON object in a string, {} for none");
        if (!Json.isObject(arguments)) {
            throw function.wrongValue("arguments", arguments, "a JSON object in a string, {} for none");
        }
        return new ToolCall(id, name, arguments);
    }

    private static String text(Fields fields, String name) {
        JsonNode content = fields.required(name, "send a string or a list of text parts");
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray()) {
            throw fields.wrongType(name, content, "a string or a list of text parts");
        }
        StringBuilder text = new StringBuilder();
        for (Fields part : fields.objects(name, content)) {
            String type = part.requiredString("type", "send a part of type text");
            if (!TEXT_PARTS.contains(type)) {
                throw part.wrongValue("type", type, "text, input_text or output_text: other parts are not supported");
            }
            text.append(part.requiredString("text", "send the part's text"));
        }
        return text.toString();
    }
}
