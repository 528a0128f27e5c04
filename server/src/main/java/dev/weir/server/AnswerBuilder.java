package dev.weir.server;

import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.ToolCall;
import java.util.ArrayList;
import java.util.List;

/** Puts an {@link Answer} together. Owned by the context of its reply. */
final class AnswerBuilder {
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final List<ToolCall> calls = new ArrayList<>();

    void text(String delta, List<TokenLogprob> more) {
        text.append(delta);
        logprobs.addAll(more);
    }

    void callBegun(String id, String name) {
        calls.add(new ToolCall(id, name, ""));
    }

    void callArguments(String delta) {
        ToolCall call = calls.removeLast();
        calls.add(new ToolCall(call.id(), call.name(), call.arguments() + delta));
    }

    Answer build(Reply.Ending ending, double meanLogprob) {
        return new Answer(text.toString(), calls, logprobs, ending, meanLogprob);
    }
}
