package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.ConversationItem;
import dev.weir.protocol.ConversationObject;
import dev.weir.protocol.ConversationRequest;
import dev.weir.protocol.ProtocolException;
import io.vertx.core.Future;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/**
 * The conversations of OpenAI's Conversations API: they are stored, and responses that go on from one are added to it. Any thread.
 *
 * <p>Whoever adds to a conversation has it to itself until then: what two responses at once would make of it is nobody's wish.
 */
final class Conversations {
    private final Store store;

    /** What one conversation may hold, by {@link StoredConversation#bytes}, before a client may add no more by itself. */
    private final long mostBytes;

    private final Set<Key> taken = ConcurrentHashMap.newKeySet();

    private record Key(String tenant, String id) {}

    /** Conversations in a store. */
    Conversations(Store store, long mostBytes) {
        this.store = store;
        this.mostBytes = mostBytes;
    }

    /** Begins one. */
    Future<ConversationObject> create(String tenant, ConversationRequest request) {
        StoredConversation begun = new StoredConversation(
                new ConversationObject(Ids.next("conv_"), System.currentTimeMillis() / 1000, request.metadata()),
                tenant,
                ConversationItem.of(request.items(), Conversations::newName));
        return store.put(begun).map(begun.conversation());
    }

    Future<StoredConversation> get(String tenant, String id) {
        return known(id, store.conversation(tenant, id));
    }

    /** Writes other notes on one. */
    Future<ConversationObject> annotate(String tenant, String id, Map<String, String> metadata) {
        return known(id, store.change(tenant, id, kept -> kept.with(metadata))).map(StoredConversation::conversation);
    }

    /** Adds items to one, if there is room for them, and gives it as it is then. */
    Future<StoredConversation> add(String tenant, String id, List<ConversationItem> items) {
        return alone(tenant, id, kept -> {
            StoredConversation longer = kept.with(items);
            if (longer.bytes() > mostBytes) {
                throw new ProtocolException(ApiError.invalid(
                        "conversation_too_long",
                        "items",
                        "items make the conversation " + id + " longer than this server keeps, about " + mostBytes
                                + " characters; delete some of it or begin another"));
            }
            return longer;
        });
    }

    /** Takes an item out of one. */
    Future<StoredConversation> remove(String tenant, String id, String itemId) {
        return alone(tenant, id, kept -> kept.without(itemId));
    }

    /** Forgets one; a response that is on its way is not added to anything then. */
    Future<?> delete(String tenant, String id) {
        return store.deleteConversation(tenant, id).map(wasKept -> {
            if (!wasKept) {
                throw unknown(id);
            }
            return id;
        });
    }

    /** Takes one for a response to go on from, which then has to {@link #giveBack} it. */
    Future<StoredConversation> take(String tenant, String id) {
        Key key = new Key(tenant, id);
        if (!taken.add(key)) {
            return Future.failedFuture(new ProtocolException(new ApiError(
                    409,
                    "invalid_request_error",
                    "conversation_locked",
                    "conversation",
                    "Another response is being added to the conversation '" + id + "'; wait for its end.")));
        }
        return get(tenant, id).onFailure(_ -> taken.remove(key));
    }

    /** Adds what was said to one that was taken, if it is still there. The future is completed when others may take it. */
    Future<?> giveBack(String tenant, String id, List<ConversationItem> items) {
        Future<?> added =
                items.isEmpty() ? Future.succeededFuture() : store.change(tenant, id, kept -> kept.with(items));
        return added.onComplete(_ -> taken.remove(new Key(tenant, id)));
    }

    /** A name for an item that no response has named. */
    static String newName(String prefix, int place) {
        return Ids.next(prefix + "_");
    }

    private Future<StoredConversation> alone(String tenant, String id, UnaryOperator<StoredConversation> change) {
        return take(tenant, id)
                .compose(_ ->
                        known(id, store.change(tenant, id, change)).onComplete(_ -> taken.remove(new Key(tenant, id))));
    }

    private static Future<StoredConversation> known(String id, Future<Optional<StoredConversation>> found) {
        return found.map(kept -> kept.orElseThrow(() -> unknown(id)));
    }

    private static ProtocolException unknown(String id) {
        return new ProtocolException(new ApiError(
                404,
                "invalid_request_error",
                "conversation_not_found",
                "conversation",
                "Conversation with id '" + id + "' not found. It was never begun, or it is no longer kept."));
    }
}
