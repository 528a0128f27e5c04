package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ConversationObject;
import dev.weir.protocol.ProtocolException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A conversation as it is kept. Immutable; any thread.
 *
 * @param tenant whose it is
 * @param items what was said in it
 */
record StoredConversation(ConversationObject conversation, String tenant, List<ConversationItem> items) {
    private static final int OBJECT_BYTES = 512;
    private static final int ITEM_BYTES = 128;

    StoredConversation {
        items = List.copyOf(items);
    }

    String id() {
        return conversation.id();
    }

    /** What a response that goes on from it finds. */
    List<ChatMessage> messages() {
        return ConversationItem.messages(items);
    }

    /** An item of it. */
    ConversationItem item(String itemId) {
        return items.stream()
                .filter(item -> item.id().equals(itemId))
                .findFirst()
                .orElseThrow(() -> new ProtocolException(new ApiError(
                        404,
                        "invalid_request_error",
                        "item_not_found",
                        "item_id",
                        "Item with id '" + itemId + "' not found in conversation '" + id() + "'.")));
    }

    /** The same with more at its end; items that are in it already are not added again. */
    StoredConversation with(List<ConversationItem> more) {
        Set<String> known = items.stream().map(ConversationItem::id).collect(Collectors.toSet());
        List<ConversationItem> all = new ArrayList<>(items);
        more.stream().filter(item -> !known.contains(item.id())).forEach(all::add);
        return new StoredConversation(conversation, tenant, all);
    }

    /** The same without an item, which has to be in it. */
    StoredConversation without(String itemId) {
        ConversationItem left = item(itemId);
        return new StoredConversation(
                conversation,
                tenant,
                items.stream().filter(item -> !item.equals(left)).toList());
    }

    /** The same with other notes. */
    StoredConversation with(Map<String, String> metadata) {
        return new StoredConversation(new ConversationObject(id(), conversation.createdAt(), metadata), tenant, items);
    }

    /** About how much memory it takes. */
    long bytes() {
        long bytes = OBJECT_BYTES;
        for (Map.Entry<String, String> note : conversation.metadata().entrySet()) {
            bytes += note.getKey().length() + note.getValue().length();
        }
        for (ConversationItem item : items) {
            bytes += ITEM_BYTES + item.message().length();
        }
        return bytes;
    }
}
