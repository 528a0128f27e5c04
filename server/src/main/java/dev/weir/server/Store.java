package dev.weir.server;

import io.vertx.core.Future;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Responses that have ended, and conversations, by tenant and name. Any thread. A future is completed on the context of whoever
 * asked; one that fails does so with a {@link dev.weir.protocol.ProtocolException} for the client.
 */
interface Store extends AutoCloseable {
    /**
     * Keeps a response. The client hears of its end when the future is completed, whether the response could be kept or not, so
     * that is soon in any case.
     */
    Future<?> put(StoredResponse response, StoredEvents events);

    /** A tenant's response, if it is kept. */
    Future<Optional<StoredResponse>> get(String tenant, String id);

    /** The events of a tenant's response, if they are kept. */
    Future<Optional<StoredEvents>> events(String tenant, String id);

    /** Forgets a tenant's response; false if it is not kept. */
    Future<Boolean> delete(String tenant, String id);

    /** Keeps a new conversation. */
    Future<?> put(StoredConversation conversation);

    /** A tenant's conversation, if it is kept. */
    Future<Optional<StoredConversation>> conversation(String tenant, String id);

    /**
     * Changes a tenant's conversation, if it is kept, and gives it as it is then.
     *
     * @param change of what is kept at that moment; may be asked more than once, and refuse by a {@code ProtocolException}
     */
    Future<Optional<StoredConversation>> change(String tenant, String id, UnaryOperator<StoredConversation> change);

    /** Forgets a tenant's conversation; false if it is not kept. */
    Future<Boolean> deleteConversation(String tenant, String id);

    /** How often something was asked for in vain. */
    long failures();

    /** Keeps what is still to be kept, for as long as that takes within reason. */
    @Override
    void close();
}
