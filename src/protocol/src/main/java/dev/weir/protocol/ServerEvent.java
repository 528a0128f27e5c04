package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the server sends for a response, over the WebSocket and as server-sent events alike, in the order of the records
 * below, those of an item once for each; the response ends with exactly one of {@link Completed}, {@link Incomplete} and {@link Failed}. Immutable; any
 * thread.
 */
public sealed interface ServerEvent {
    /** The event's {@code type}. */
    String type();

    /** The response was accepted. */
    record Created(ResponseObject response) implements ServerEvent {
        @Override
        public String type() {
            return "response.created";
        }
    }

    /** The response is being worked on. */
    record InProgress(ResponseObject response) implements ServerEvent {
        @Override
        public String type() {
            return "response.in_progress";
        }
    }

    /** A message or a call begins, at its place in the output. */
    record OutputItemAdded(int outputIndex, OutputItem item) implements ServerEvent {
        @Override
        public String type() {
            return "response.output_item.added";
        }
    }

    /** The message's text begins. */
    record ContentPartAdded(String itemId, int outputIndex) implements ServerEvent {
        @Override
        public String type() {
            return "response.content_part.added";
        }
    }

    /** More text, with the log-probabilities of its tokens if they were asked for. */
    record OutputTextDelta(String itemId, int outputIndex, String delta, List<TokenLogprob> logprobs)
            implements ServerEvent {
        public OutputTextDelta {
            logprobs = List.copyOf(logprobs);
        }

        @Override
        public String type() {
            return "response.output_text.delta";
        }
    }

    /** The whole text. */
    record OutputTextDone(String itemId, int outputIndex, String text, List<TokenLogprob> logprobs)
            implements ServerEvent {
        public OutputTextDone {
            logprobs = List.copyOf(logprobs);
        }

        @Override
        public String type() {
            return "response.output_text.done";
        }
    }

    /** The message's text is complete. */
    record ContentPartDone(String itemId, int outputIndex, String text, List<TokenLogprob> logprobs)
            implements ServerEvent {
        public ContentPartDone {
            logprobs = List.copyOf(logprobs);
        }

        @Override
        public String type() {
            return "response.content_part.done";
        }
    }

    /** More of a call's arguments. */
    record CallArgumentsDelta(String itemId, int outputIndex, String delta) implements ServerEvent {
        @Override
        public String type() {
            return "response.function_call_arguments.delta";
        }
    }

    /** A call's whole arguments. */
    record CallArgumentsDone(String itemId, int outputIndex, String name, String arguments) implements ServerEvent {
        @Override
        public String type() {
            return "response.function_call_arguments.done";
        }
    }

    /** The message or the call is complete. */
    record OutputItemDone(int outputIndex, OutputItem item) implements ServerEvent {
        @Override
        public String type() {
            return "response.output_item.done";
        }
    }

    /** The response ended by itself. */
    record Completed(ResponseObject response) implements ServerEvent {
        @Override
        public String type() {
            return "response.completed";
        }
    }

    /** The response was cut short: by its length limit, or by the client with the status {@code cancelled}. */
    record Incomplete(ResponseObject response) implements ServerEvent {
        @Override
        public String type() {
            return "response.incomplete";
        }
    }

    /** The response ended by a fault of the server. */
    record Failed(ResponseObject response) implements ServerEvent {
        @Override
        public String type() {
            return "response.failed";
        }
    }

    /**
     * A client event could not be served; no response was begun for it.
     *
     * @param eventId the client's name for the event at fault; may be null
     * @param retryAfterSeconds when to try again; null if trying again does not help
     */
    record Refused(
            ApiError error,
            @Nullable String eventId,
            @Nullable Long retryAfterSeconds) implements ServerEvent {
        @Override
        public String type() {
            return "error";
        }
    }

    /**
     * A response could not be steered; it goes on as before.
     *
     * @param responseId the response
     * @param input what it was to take in, as JSON
     * @param code why not, for a program
     * @param message why not, for a person
     */
    record SteerFailed(String responseId, String input, String code, String message) implements ServerEvent {
        @Override
        public String type() {
            return "response.steer.failed";
        }
    }

    /** An event that this version does not know; only ever read. */
    record Unknown(String type) implements ServerEvent {}
}
