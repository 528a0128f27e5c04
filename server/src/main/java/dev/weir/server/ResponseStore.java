package dev.weir.server;

import io.vertx.core.Future;
import java.util.Optional;

/**
 * Responses that have ended, by tenant and name. Any thread. A future is completed on the context of whoever asked; one that fails
 * does so with a {@link dev.weir.protocol.ProtocolException} for the client.
 */
interface ResponseStore extends AutoCloseable {
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

    /** How often something was asked for in vain. */
    long failures();

    /** Keeps what is still to be kept, for as long as that takes within reason. */
    @Override
    void close();
}
