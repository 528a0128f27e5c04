package dev.weir.corpus;

import java.util.List;

/** Conversations written as plain text, as a reader would note them down. Static functions; any thread. */
final class ConversationText {
    private ConversationText() {}

    /** What the two are called and what stands between turns. */
    private record Style(String user, String assistant, String system, String separator) {}

    private static final List<Style> STYLES = List.of(
            new Style("User: ", "Assistant: ", "System: ", "\n"),
            new Style("User: ", "Assistant: ", "System: ", "\n\n"),
            new Style("User: ", "Assistant: ", "", "\n"),
            new Style("Q: ", "A: ", "", "\n"),
            new Style("Question: ", "Answer: ", "", "\n"),
            new Style("Human: ", "AI: ", "Note: ", "\n"),
            new Style("Me: ", "Helper: ", "", "\n"),
            new Style("Student: ", "Teacher: ", "", "\n"),
            new Style("You: ", "Bot: ", "Rule: ", "\n"),
            new Style("- ", "- ", "", "\n"),
            new Style("> ", "", "", "\n"));

    static String of(Conversation conversation, CorpusRandom random) {
        Style style = conversation.tools().isEmpty() ? random.of(STYLES) : STYLES.get(random.below(2));
        StringBuilder out = new StringBuilder();
        if (!conversation.tools().isEmpty()) {
            out.append("Functions:");
            conversation
                    .tools()
                    .forEach(tool -> out.append('\n')
                            .append(ConversationJson.spaced(tool.toJson().path("function"))));
        }
        for (Conversation.Message message : conversation.messages()) {
            if (!out.isEmpty()) {
                out.append(style.separator);
            }
            out.append(
                    switch (message) {
                        case Conversation.Said said ->
                            switch (said.role()) {
                                case "system" -> style.system + said.content();
                                case "user" -> style.user + said.content();
                                default -> style.assistant + said.content();
                            };
                        case Conversation.Called called ->
                            style.assistant + "<tool_call>" + call(called) + "</tool_call>";
                        case Conversation.Returned returned -> "Tool: " + returned.content();
                    });
        }
        return out.toString();
    }

    /** A call as one JSON object, the form in which open models write it. */
    static String call(Conversation.Called called) {
        return "{\"name\": \"" + called.function() + "\", \"arguments\": " + called.arguments() + "}";
    }
}
