package dev.weir.server;

import dev.weir.protocol.FunctionCall;
import dev.weir.protocol.OutputItem;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The items of a response's output while they are written, one after the other, and their events. Owned by the response's context. */
final class ResponseItems {
    private final String suffix;
    private final Consumer<ServerEvent> events;
    private final List<OutputItem> done = new ArrayList<>();

    /** The item that is being written; its text and arguments are beside it. */
    private @Nullable OutputItem open;

    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();

    /** The items of a response of this name. */
    ResponseItems(String responseId, Consumer<ServerEvent> events) {
        suffix = responseId.substring(responseId.indexOf('_'));
        this.events = events;
    }

    void openMessage() {
        String id = "msg" + suffix + (done.isEmpty() ? "" : "_" + done.size());
        open(new OutputMessage(id, ResponseStatus.IN_PROGRESS, "", List.of()));
        events.accept(new ServerEvent.ContentPartAdded(id, done.size()));
    }

    void text(String delta, List<TokenLogprob> more) {
        if (open == null) {
            openMessage();
        }
        text.append(delta);
        logprobs.addAll(more);
        events.accept(new ServerEvent.OutputTextDelta(openId(), done.size(), delta, more));
    }

    /** Begins a call, behind a message that is thereby complete. */
    void openCall(String id, String name) {
        close(ResponseStatus.COMPLETED);
        open(new FunctionCall(
                "fc" + suffix + "_" + done.size(), ResponseStatus.IN_PROGRESS, new ToolCall(id, name, "")));
    }

    void arguments(String delta) {
        text.append(delta);
        events.accept(new ServerEvent.CallArgumentsDelta(openId(), done.size(), delta));
    }

    /** Ends the open item, if there is one. */
    void close(ResponseStatus status) {
        String whole = text.toString();
        int index = done.size();
        OutputItem item = switch (open) {
            case null -> null;
            case OutputMessage(String id, ResponseStatus _, String _, List<TokenLogprob> _) -> {
                events.accept(new ServerEvent.OutputTextDone(id, index, whole, logprobs));
                events.accept(new ServerEvent.ContentPartDone(id, index, whole, logprobs));
                yield new OutputMessage(id, status, whole, logprobs);
            }
            case FunctionCall(String id, ResponseStatus _, ToolCall call) -> {
                events.accept(new ServerEvent.CallArgumentsDone(id, index, call.name(), whole));
                yield new FunctionCall(id, status, new ToolCall(call.id(), call.name(), whole));
            }
        };
        if (item != null) {
            events.accept(new ServerEvent.OutputItemDone(index, item));
            done.add(item);
            open = null;
            text.setLength(0);
            logprobs.clear();
        }
    }

    /** All items; an answer of nothing is one empty message. */
    List<OutputItem> end(ResponseStatus status) {
        if (open == null && done.isEmpty()) {
            openMessage();
        }
        close(status);
        return List.copyOf(done);
    }

    private void open(OutputItem item) {
        open = item;
        events.accept(new ServerEvent.OutputItemAdded(done.size(), item));
    }

    private String openId() {
        if (open == null) {
            throw new IllegalStateException("no item is open");
        }
        return open.id();
    }
}
