package dev.weir.server;

import io.vertx.core.Future;
import java.util.Optional;

/** Responses that have ended, by tenant and name. Any thread. */
interface ResponseStore extends AutoCloseable {
    /** Keeps a response; the client hears of its end only then. */
    Future<?> put(StoredResponse response);

    /** A tenant's response, if it is kept. */
    Future<Optional<StoredResponse>> get(String tenant, String id);

    /** Forgets a tenant's response; false if it is not kept. */
    Future<Boolean> delete(String tenant, String id);

    @Override
    void close();
}
