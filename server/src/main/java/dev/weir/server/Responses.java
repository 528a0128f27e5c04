package dev.weir.server;

import dev.weir.protocol.ApiError;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The responses that can be read or taken up again: those that run, and those that ended a short time ago, as many as there is
 * room for the events of. Any thread.
 */
final class Responses {
    private final ResumeLimits limits;
    private final Store store;
    private final LongAdder bufferedBytes = new LongAdder();
    private final Map<String, Response> byId = new ConcurrentHashMap<>();
    private final Map<Response, Long> endedBytes = new ConcurrentHashMap<>();
    private final Queue<Response> ended = new ConcurrentLinkedQueue<>();
    private final AtomicLong sumOfEnded = new AtomicLong();
    private final Set<Response> unsettled = ConcurrentHashMap.newKeySet();

    /** None yet; {@code store} is for those that have ended. */
    Responses(ResumeLimits limits, Store store) {
        this.limits = limits;
        this.store = store;
    }

    /** The responses that have ended and are kept by their names. */
    Store store() {
        return store;
    }

    /** A response of this tenant, or null. */
    @Nullable
    Response find(Caller caller, String id) {
        Response response = byId.get(id);
        return response != null && response.isOf(caller) ? response : null;
    }

    /** There is no such response, or no more, or it is another tenant's. */
    static ApiError unknown(String id) {
        return new ApiError(
                404,
                "invalid_request_error",
                "response_not_found",
                "response_id",
                "Response with id '" + id + "' not found. It was never begun, or it is no longer kept.");
    }

    /** Bytes of events that are held. */
    long bufferedBytes() {
        return bufferedBytes.sum();
    }

    ResponseLog newLog() {
        return new ResponseLog(limits.bytes(), bufferedBytes);
    }

    void add(Response response) {
        byId.put(response.id(), response);
        unsettled.add(response);
    }

    /** The last event of a response is there for its readers, or it was refused. */
    void settled(Response response) {
        unsettled.remove(response);
    }

    /** Responses whose last event is still to come. */
    int unsettled() {
        return unsettled.size();
    }

    /** A response has ended; the oldest of those that did make room for its events. On the context of the response. */
    void ended(Response response, long bytes) {
        endedBytes.put(response, bytes);
        ended.add(response);
        sumOfEnded.addAndGet(bytes);
        while (sumOfEnded.get() > limits.endedBytes()) {
            Response oldest = ended.peek();
            if (oldest == null) {
                return;
            }
            remove(oldest);
        }
    }

    void remove(Response response) {
        byId.remove(response.id(), response);
        ended.remove(response);
        Long bytes = endedBytes.remove(response);
        if (bytes != null) {
            sumOfEnded.addAndGet(-bytes);
            bufferedBytes.add(-bytes);
        }
    }

    /** The server stops: ends all generations. */
    void abandonAll() {
        byId.values().forEach(Response::abandon);
    }
}
