package dev.weir.protocol;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code POST /v1/conversations}. Immutable; any thread.
 *
 * @param items what it begins with; may be empty
 * @param metadata the caller's own notes
 */
public record ConversationRequest(List<ChatMessage> items, Map<String, String> metadata) {
    public ConversationRequest {
        items = List.copyOf(items);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }
}
