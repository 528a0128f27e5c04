package dev.weir.server;

import dev.weir.grammar.CallForm;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.FunctionTool;
import dev.weir.protocol.TemplateJson;
import dev.weir.protocol.ToolCall;
import dev.weir.protocol.Tools;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds out from a chat template how its model writes calls of functions: by letting it write some. Any thread. */
final class CallForms {
    private static final String DECLARED = "weir_declared";
    private static final ToolCall CALL = new ToolCall("weircall1", "weir_called", "{\"weir_key\":\"weir_value\"}");
    private static final String WRITTEN =
            "\\{\"name\": ?\"weir_called\", ?\"arguments\": ?\\{\"weir_key\": ?\"weir_value\"\\}\\}";

    /** The form of Hermes and Qwen. */
    private static final Pattern TAGGED =
            Pattern.compile("(<tool_call>\\s*)" + WRITTEN + "(\\s*</tool_call>)(\\s*)<tool_call>\\s*" + WRITTEN);

    private CallForms() {}

    /** The form of a template's calls; empty if it knows no functions, or has them called in a form that cannot be read here. */
    static Optional<CallForm> of(ChatTemplate template, Tokenizer tokenizer) {
        Tools tools =
                new Tools(List.of(new FunctionTool(DECLARED, "", null, false, null)), Tools.Choice.AUTO, null, true);
        List<ChatTemplate.Message> messages = List.of(
                new ChatTemplate.Message("user", "x"),
                ChatPrompts.message(ChatMessage.assistant("", List.of(CALL, CALL))));
        String text;
        try {
            text = template.render(messages, TemplateJson.tools(tools), false).toString();
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
        Matcher found = TAGGED.matcher(text);
        if (!text.contains(DECLARED) || !found.find()) {
            return Optional.empty();
        }
        CallForm form = new CallForm(found.group(1), found.group(3), found.group(2));
        // Special tokens are left out of an answer's text, in which calls are looked for.
        boolean isShown =
                tokenizer.decode(tokenizer.encode(form.marker(), true)).equals(form.marker());
        return isShown ? Optional.of(form) : Optional.empty();
    }
}
