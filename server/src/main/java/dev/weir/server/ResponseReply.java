package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.EventWriter;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The events of one streamed response, the same over server-sent events and a WebSocket, in the order of
 * {@link ServerEvent}. Owned by the context of its connection.
 */
final class ResponseReply implements Reply {
    private final ResponseShape shape;
    private final Outlet outlet;
    private final EventWriter events;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private Ending ending = Ending.STOP;
    private ResponseObject begun;

    @SuppressWarnings("NullAway.Init") // accepted() comes before any other call but refused()
    ResponseReply(ResponseShape shape, Outlet outlet, @Nullable String streamId) {
        this.shape = shape;
        this.outlet = outlet;
        events = new EventWriter(streamId);
    }

    /**
     * What a response looks like, however it is sent. Immutable.
     *
     * @param id its name
     * @param model name of the model
     * @param request what was asked
     */
    record ResponseShape(String id, String model, ResponseRequest request) {
        ResponseObject begun(PreparedPrompt prompt) {
            return ResponseObject.inProgress(
                    id,
                    System.currentTimeMillis() / 1000,
                    model,
                    new ResponseObject.Settings(
                            request.instructions(),
                            request.sampling().maxTokens(),
                            shown(prompt.request().sampling().temperature()),
                            shown(prompt.request().sampling().topP()),
                            request.metadata(),
                            request.sampling().format()));
        }

        OutputMessage message(ResponseStatus status, String text, List<TokenLogprob> logprobs) {
            return new OutputMessage("msg_" + id.substring(id.indexOf('_') + 1), status, text, logprobs);
        }

        ResponseObject ended(
                ResponseObject begun, Ending ending, String text, List<TokenLogprob> logprobs, Usage usage) {
            return begun.ended(
                    switch (ending) {
                        case STOP -> ResponseStatus.COMPLETED;
                        case LENGTH -> ResponseStatus.INCOMPLETE;
                        case CANCELLED -> ResponseStatus.CANCELLED;
                    },
                    message(messageStatus(ending), text, logprobs),
                    usage,
                    ending == Ending.LENGTH ? "max_output_tokens" : null);
        }

        static ResponseStatus messageStatus(Ending ending) {
            return ending == Ending.STOP ? ResponseStatus.COMPLETED : ResponseStatus.INCOMPLETE;
        }

        /** The shortest decimal for a float, so that 0.7 comes back as 0.7. */
        private static double shown(float value) {
            return Double.parseDouble(Float.toString(value));
        }
    }

    @Override
    public void accepted(List<PreparedPrompt> prompts) {
        begun = shape.begun(prompts.getFirst());
        OutputMessage message = shape.message(ResponseStatus.IN_PROGRESS, "", List.of());
        outlet.open();
        send(new ServerEvent.Created(begun));
        send(new ServerEvent.InProgress(begun));
        send(new ServerEvent.OutputItemAdded(message));
        send(new ServerEvent.ContentPartAdded(message.id()));
    }

    @Override
    public void text(int choice, String delta, List<TokenLogprob> more) {
        text.append(delta);
        logprobs.addAll(more);
        send(new ServerEvent.OutputTextDelta(messageId(), delta, more));
    }

    @Override
    public void choiceEnded(int choice, Ending how, double meanLogprob) {
        ending = how;
    }

    @Override
    public void ended(Usage usage) {
        String whole = text.toString();
        send(new ServerEvent.OutputTextDone(messageId(), whole, logprobs));
        send(new ServerEvent.ContentPartDone(messageId(), whole, logprobs));
        send(new ServerEvent.OutputItemDone(shape.message(ResponseShape.messageStatus(ending), whole, logprobs)));
        ResponseObject ended = shape.ended(begun, ending, whole, logprobs, usage);
        send(ending == Ending.STOP ? new ServerEvent.Completed(ended) : new ServerEvent.Incomplete(ended));
        outlet.close();
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        outlet.refuse(error, retryAfterSeconds);
    }

    @Override
    public void failed(ApiError error) {
        send(new ServerEvent.Failed(begun.failed(error)));
        outlet.close();
    }

    @Override
    public boolean isFull() {
        return outlet.isFull();
    }

    private String messageId() {
        return shape.message(ResponseStatus.IN_PROGRESS, "", List.of()).id();
    }

    private void send(ServerEvent event) {
        outlet.send(event.type(), events.next(event));
    }
}
