package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.OutputItem;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import io.vertx.core.Future;
import java.util.List;

/**
 * Turns what happens to a response into its events, the same for every transport, in the order of {@link ServerEvent}. Owned by the
 * context of the response.
 */
final class ResponseReply implements Reply {
    private final ResponseShape shape;
    private final ResponseLog log;
    private final Listener listener;
    private final EventWriter events = new EventWriter();
    private final ResponseItems items;
    private Ending ending = Ending.STOP;
    private ResponseObject begun;

    /** Who is told, each time before the client is. */
    interface Listener {
        void begun(ResponseObject response);

        /** Nothing more will be said. Gives, which never fails, the response as it has ended then. */
        Future<ResponseObject> ending(ResponseObject response);

        /** The client gets {@code lastEvent} when this is done, whether it succeeds or not. */
        Future<?> ended(ResponseObject response, String lastEvent);

        void refused(ApiError error, long retryAfterSeconds);
    }

    @SuppressWarnings("NullAway.Init") // accepted() comes before any other call but refused()
    ResponseReply(ResponseShape shape, ResponseLog log, Listener listener) {
        this.shape = shape;
        this.log = log;
        this.listener = listener;
        items = new ResponseItems(shape.id(), this::append);
    }

    @Override
    public void accepted(List<PreparedPrompt> prompts) {
        begun = shape.begun(prompts.getFirst());
        listener.begun(begun);
        append(new ServerEvent.Created(begun));
        append(new ServerEvent.InProgress(begun));
        if (shape.request().generate() && !shape.request().tools().areOffered()) {
            items.openMessage(); // nothing else will follow
        }
    }

    @Override
    public void text(int choice, String delta, List<TokenLogprob> more) {
        if (shape.request().generate()) {
            items.text(delta, more);
        }
    }

    @Override
    public void callBegun(int choice, String id, String name) {
        items.openCall(id, name);
    }

    @Override
    public void callArguments(int choice, String delta) {
        items.arguments(delta);
    }

    @Override
    public void callEnded(int choice) {
        items.close(ResponseStatus.COMPLETED);
    }

    @Override
    public void choiceEnded(int choice, Ending how, double meanLogprob) {
        ending = how;
    }

    @Override
    public void ended(Usage usage) {
        if (!shape.request().generate() && ending != Ending.CANCELLED) {
            ResponseObject ready = shape.warmedUp(begun, usage);
            end(ready);
            return;
        }
        List<OutputItem> output =
                items.end(ending == Ending.STOP ? ResponseStatus.COMPLETED : ResponseStatus.INCOMPLETE);
        end(shape.ended(begun, ending, output, usage));
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        listener.refused(error, retryAfterSeconds);
    }

    @Override
    public void failed(ApiError error) {
        end(begun.failed(error));
    }

    @Override
    public boolean isFull() {
        return log.isFull();
    }

    private void append(ServerEvent event) {
        log.append(event.type(), events.next(event), false);
    }

    private void end(ResponseObject response) {
        listener.ending(response).onSuccess(ended -> {
            ServerEvent event = last(ended);
            String json = events.next(event);
            listener.ended(ended, json).onComplete(_ -> log.append(event.type(), json, true));
        });
    }

    private static ServerEvent last(ResponseObject ended) {
        return switch (ended.status()) {
            case COMPLETED -> new ServerEvent.Completed(ended);
            case FAILED -> new ServerEvent.Failed(ended);
            default -> new ServerEvent.Incomplete(ended);
        };
    }
}
