package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.ResponseObject;
import io.vertx.core.http.HttpServerResponse;
import java.util.function.Supplier;

/** The body of one HTTP reply that holds a response once it has ended. Owned by the context of its connection. */
final class WholeOutlet implements Outlet {
    private final HttpServerResponse http;
    private final Supplier<ResponseObject> ended;

    /** An outlet for the response that {@code ended} gives after its last event. */
    WholeOutlet(HttpServerResponse http, Supplier<ResponseObject> ended) {
        this.http = http;
        this.ended = ended;
    }

    @Override
    public void open() {}

    @Override
    public void send(String type, String json) {}

    @Override
    public void refuse(ApiError error, long retryAfterSeconds) {
        HttpReplies.error(http, error, retryAfterSeconds);
    }

    @Override
    public void breakOff(ApiError error, int lastNumber) {
        HttpReplies.error(http, error, 0);
    }

    @Override
    public void close() {
        ResponseObject response = ended.get();
        if (response.error() == null) {
            HttpReplies.json(http, EventWriter.response(response));
        } else {
            HttpReplies.error(http, response.error(), 0);
        }
    }

    @Override
    public boolean isFull() {
        return false;
    }
}
