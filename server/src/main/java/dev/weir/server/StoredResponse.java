package dev.weir.server;

import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.OutputItem;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.ResponseObject;
import java.util.ArrayList;
import java.util.List;

/**
 * A response as it is kept, with all that another one needs to go on from it. Immutable; any thread.
 *
 * @param tenant whose it is
 * @param before the conversation before its input
 * @param input its own input
 */
record StoredResponse(ResponseObject response, String tenant, List<ChatMessage> before, List<ChatMessage> input) {
    private static final int OBJECT_BYTES = 512;
    private static final int TOKEN_BYTES = 256;

    StoredResponse {
        before = List.copyOf(before);
        input = List.copyOf(input);
    }

    String id() {
        return response.id();
    }

    /** What was said, its answer included; instructions hold for one response only. */
    List<ChatMessage> conversation() {
        List<ChatMessage> all = new ArrayList<>(before);
        all.addAll(input);
        ChatMessage answer = ChatMessage.assistant(response.text(), response.calls());
        if (answer.length() > 0) {
            all.add(answer);
        }
        return List.copyOf(all);
    }

    /** Its own input under names that are not those of its output. */
    List<ConversationItem> inputItems() {
        String suffix = id().substring(id().indexOf('_')) + "_in";
        return ConversationItem.of(input, (prefix, place) -> prefix + suffix + place);
    }

    /** What it adds to a conversation: its input and what came of it. */
    List<ConversationItem> items() {
        List<ConversationItem> items = new ArrayList<>(inputItems());
        items.addAll(ConversationItem.ofOutput(response.output()));
        return items;
    }

    /** About how much memory it takes, the conversation before it too, though others may hold the same. */
    long bytes() {
        long bytes = OBJECT_BYTES;
        for (ChatMessage message : conversation()) {
            bytes += OBJECT_BYTES / 8 + message.length();
        }
        for (OutputItem item : response.output()) {
            if (item instanceof OutputMessage message) {
                bytes += (long) TOKEN_BYTES * message.logprobs().size();
            }
        }
        return bytes;
    }
}
