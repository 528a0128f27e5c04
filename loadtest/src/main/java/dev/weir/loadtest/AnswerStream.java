package dev.weir.loadtest;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The events of one answer on their way from the bytes to the listener: read, checked, and summed up in an outcome.
 * Owner: one connection, which feeds it the events and asks after each whether an outcome has come.
 */
final class AnswerStream {

    private static final byte[] DONE_MARK = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    private final Api api;
    private final StreamEventReader reader = new StreamEventReader();
    private final StreamCheck check;

    // Of the answer under way.
    private AnswerListener listener = NOBODY;
    private @Nullable Outcome outcome;
    private long endNanos;
    private String finishReason = "";

    AnswerStream(Api api) {
        this.api = api;
        this.check = api == Api.RESPONSES ? new ResponsesCheck() : new ChunkCheck();
    }

    void begin(AnswerListener newListener) {
        listener = newListener;
        outcome = null;
        endNanos = 0;
        finishReason = "";
        check.begin();
    }

    /** The outcome, once the terminal event, an error or a violation has come. */
    @Nullable
    Outcome outcome() {
        return outcome;
    }

    /** When the outcome came, by the clock of the run. */
    long endNanos() {
        return endNanos;
    }

    /** Takes the next event's JSON, or the mark that ends a chunk stream. */
    void event(byte[] bytes, int offset, int length, long nowNanos) {
        if (isDoneMark(bytes, offset, length)) {
            doneMark(nowNanos);
            return;
        }
        if (outcome instanceof Outcome.Failed) {
            return; // one failure per answer is enough
        }
        StreamEvent event;
        try {
            event = api == Api.RESPONSES
                    ? reader.readResponsesEvent(bytes, offset, length)
                    : reader.readChunk(bytes, offset, length);
        } catch (JsonProcessingException e) {
            violation("malformed JSON: " + e.getOriginalMessage(), nowNanos);
            return;
        } catch (IOException e) {
            violation(String.valueOf(e.getMessage()), nowNanos);
            return;
        }
        if (outcome != null) {
            violation((event.type.isEmpty() ? "a chunk" : event.type) + " after the end of the answer", nowNanos);
            return;
        }
        @Nullable String wrong = check.accept(event);
        if (wrong != null) {
            violation(wrong, nowNanos);
            return;
        }
        accept(event, nowNanos);
    }

    /** The connection has no more bytes for this answer: afterwards there is an outcome in any case. */
    void endOfStream(long nowNanos) {
        if (outcome != null) {
            return;
        }
        if (check instanceof ChunkCheck chunks && chunks.isFinished()) {
            violation("the stream ended without [DONE]", nowNanos);
        } else {
            fail(ErrorKind.CLOSED_EARLY, "", "the stream ended before the answer did", nowNanos);
        }
    }

    void fail(ErrorKind kind, String code, String message, long nowNanos) {
        end(new Outcome.Failed(kind, code, message), nowNanos);
    }

    private void accept(StreamEvent event, long nowNanos) {
        if (event.outputTokens >= 0 || event.inputTokens >= 0) {
            listener.usage(event.inputTokens, event.outputTokens);
        }
        switch (event.kind) {
            case TEXT_DELTA, OTHER_DELTA -> listener.delta(nowNanos);
            case CHUNK -> {
                if (event.text.length() > 0) {
                    listener.delta(nowNanos);
                }
                if (event.finishReason != null) {
                    finishReason = event.finishReason;
                }
            }
            case COMPLETED -> end(new Outcome.Done("completed"), nowNanos);
            case INCOMPLETE -> {
                if ("cancelled".equals(event.finishReason)) {
                    fail(ErrorKind.ERROR_EVENT, "cancelled", "the server cancelled the response", nowNanos);
                } else {
                    end(new Outcome.Done("incomplete"), nowNanos);
                }
            }
            case FAILED, ERROR -> errorEvent(event, nowNanos);
            case QUEUED, CREATED, IN_PROGRESS, ITEM_ADDED, PART_ADDED, TEXT_DONE, PART_DONE, ITEM_DONE, UNKNOWN -> {}
        }
    }

    private void errorEvent(StreamEvent event, long nowNanos) {
        String code = event.errorCode;
        if (code == null) {
            code = event.status > 0 ? Integer.toString(event.status) : "";
        }
        fail(ErrorKind.ERROR_EVENT, code, event.errorMessage == null ? "" : event.errorMessage, nowNanos);
    }

    private void doneMark(long nowNanos) {
        if (outcome != null) {
            if (api != Api.RESPONSES && outcome instanceof Outcome.Done) {
                violation("a second [DONE]", nowNanos);
            }
            return;
        }
        if (check instanceof ChunkCheck chunks && chunks.isFinished()) {
            end(new Outcome.Done(finishReason), nowNanos);
        } else {
            violation("[DONE] before the answer ended", nowNanos);
        }
    }

    private void violation(String message, long nowNanos) {
        end(new Outcome.Failed(ErrorKind.PROTOCOL_VIOLATION, "", message), nowNanos);
    }

    private void end(Outcome newOutcome, long nowNanos) {
        outcome = newOutcome;
        endNanos = nowNanos;
    }

    private static boolean isDoneMark(byte[] bytes, int offset, int length) {
        return length == DONE_MARK.length
                && Arrays.equals(bytes, offset, offset + length, DONE_MARK, 0, DONE_MARK.length);
    }

    private static final AnswerListener NOBODY = new AnswerListener() {
        @Override
        public void sent(long nowNanos, long connectNanos) {}

        @Override
        public void delta(long nowNanos) {}

        @Override
        public void usage(int inputTokens, int outputTokens) {}

        @Override
        public void ended(long nowNanos, Outcome outcome) {}

        @Override
        public void strayed(long nowNanos, Outcome.Failed violation) {}
    };
}
