package dev.weir.server;

import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ItemPage;
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
        OutputMessage output = response.output();
        if (output != null && !output.text().isEmpty()) {
            all.add(new ChatMessage("assistant", output.text()));
        }
        return List.copyOf(all);
    }

    /** Its own input under names. */
    List<ItemPage.Item> inputItems() {
        List<ItemPage.Item> items = new ArrayList<>();
        for (ChatMessage message : input) {
            items.add(new ItemPage.Item("msg_" + id().substring(id().indexOf('_') + 1) + "_" + items.size(), message));
        }
        return items;
    }

    /** About how much memory it takes, the conversation before it too, though others may hold the same. */
    long bytes() {
        long bytes = OBJECT_BYTES;
        for (ChatMessage message : conversation()) {
            bytes += OBJECT_BYTES / 8 + message.content().length();
        }
        OutputMessage output = response.output();
        return output == null
                ? bytes
                : bytes + (long) TOKEN_BYTES * output.logprobs().size();
    }
}
