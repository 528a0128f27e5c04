package dev.weir.server;

import dev.weir.grammar.CallForm;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.TemplateJson;
import dev.weir.protocol.ToolCall;
import dev.weir.protocol.Tools;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Conversations as the prompts of a model: its tokens. Immutable; any thread. */
final class ChatPrompts {
    private static final String UNSUPPORTED = "unsupported_parameter";

    private final String model;
    private final Tokenizer tokenizer;
    private final @Nullable ChatTemplate template;
    private final @Nullable CallForm callForm;

    /** Prompts as a template writes them; without one all conversations are refused. */
    ChatPrompts(String model, Tokenizer tokenizer, @Nullable ChatTemplate template) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.template = template;
        callForm = template == null ? null : CallForms.of(template, tokenizer).orElse(null);
    }

    /** How the model writes calls of functions; null if it writes none. */
    @Nullable
    CallForm callForm() {
        return callForm;
    }

    /** The tokens of a conversation; {@code field} is named in errors. Takes time in proportion to its length. */
    int[] encode(List<ChatMessage> messages, Tools tools, boolean opensAnswer, String field) {
        ChatTemplate writer = template;
        if (writer == null) {
            throw new ProtocolException(ApiError.invalid(
                    UNSUPPORTED,
                    field,
                    field + " needs a chat template, which the model \"" + model
                            + "\" does not have; send a prompt to /v1/completions"));
        }
        checkFunctions(messages, tools, field);
        try {
            return tokenizer.encode(writer.render(
                    messages.stream().map(ChatPrompts::message).toList(), TemplateJson.tools(tools), opensAnswer));
        } catch (IllegalArgumentException e) {
            throw new ProtocolException(ApiError.invalid(
                    "invalid_value", field, field + " does not fit the model's chat template: " + e.getMessage()));
        }
    }

    static ChatTemplate.Message message(ChatMessage message) {
        boolean isSilent = message.content().isEmpty() && !message.calls().isEmpty();
        return new ChatTemplate.Message(
                message.role(), isSilent ? null : message.content(), TemplateJson.fields(message));
    }

    private void checkFunctions(List<ChatMessage> messages, Tools tools, String field) {
        Set<String> called = new HashSet<>();
        boolean areCalled = false;
        for (ChatMessage message : messages) {
            for (ToolCall call : message.calls()) {
                called.add(call.id());
            }
            String callId = message.callId();
            if (callId != null && !called.contains(callId)) {
                throw new ProtocolException(ApiError.invalid(
                        "invalid_value",
                        field,
                        field + " has the result of a call \"" + callId
                                + "\" that nothing before it makes; send the call too, before its result"));
            }
            areCalled |= callId != null || !message.calls().isEmpty();
        }
        if (callForm == null && (tools.areOffered() || areCalled)) {
            throw new ProtocolException(ApiError.invalid(
                    UNSUPPORTED,
                    tools.areOffered() ? "tools" : field,
                    (tools.areOffered() ? "tools is sent" : field + " has a call of a function or the result of one")
                            + ", but the chat template of the model \"" + model
                            + "\" knows no functions, or none in a form that is served; leave it out"));
        }
    }
}
