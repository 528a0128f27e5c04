package dev.weir.protocol;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A conversation as OpenAI's Conversations API shows it; its items are asked for by themselves. Immutable; any thread.
 *
 * @param id its name, {@code conv_...}
 * @param createdAt seconds since 1970
 * @param metadata the caller's own notes
 */
public record ConversationObject(String id, long createdAt, Map<String, String> metadata) {
    public ConversationObject {
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }
}
