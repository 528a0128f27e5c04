package dev.weir.loadtest;

import dev.weir.protocol.EventWriter;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.Tools;
import dev.weir.protocol.Usage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whole answers as a server would write them, one event per element. */
final class Answers {

    private static final String ITEM = "msg_1";

    private Answers() {}

    /** Created, in progress, item, part, then the deltas at index 4 and up, and four closing events. */
    static List<String> response(String... deltas) {
        return response(deltas.length, ResponseStatus.COMPLETED, null, deltas);
    }

    static List<String> incompleteResponse(String reason, String... deltas) {
        return response(deltas.length, ResponseStatus.INCOMPLETE, reason, deltas);
    }

    /** A response whose usage says {@code outputTokens}, however many deltas it has. */
    static List<String> response(
            int outputTokens, ResponseStatus status, @Nullable String incompleteReason, String... deltas) {
        EventWriter writer = new EventWriter();
        String text = String.join("", deltas);
        List<String> events = new ArrayList<>();
        events.add(writer.next(new ServerEvent.Created(object(ResponseStatus.IN_PROGRESS, null, null, null))));
        events.add(writer.next(new ServerEvent.InProgress(object(ResponseStatus.IN_PROGRESS, null, null, null))));
        events.add(writer.next(new ServerEvent.OutputItemAdded(
                0, new OutputMessage(ITEM, ResponseStatus.IN_PROGRESS, "", List.of()))));
        events.add(writer.next(new ServerEvent.ContentPartAdded(ITEM, 0)));
        for (String delta : deltas) {
            events.add(writer.next(new ServerEvent.OutputTextDelta(ITEM, 0, delta, List.of())));
        }
        OutputMessage message = new OutputMessage(ITEM, status, text, List.of());
        events.add(writer.next(new ServerEvent.OutputTextDone(ITEM, 0, text, List.of())));
        events.add(writer.next(new ServerEvent.ContentPartDone(ITEM, 0, text, List.of())));
        events.add(writer.next(new ServerEvent.OutputItemDone(0, message)));
        ResponseObject whole = object(status, message, new Usage(5, outputTokens), incompleteReason);
        events.add(writer.next(
                status == ResponseStatus.COMPLETED
                        ? new ServerEvent.Completed(whole)
                        : new ServerEvent.Incomplete(whole)));
        return events;
    }

    /** The event with another sequence number. */
    static String renumber(String event, int number) {
        return event.replaceFirst("\"sequence_number\":\\d+", "\"sequence_number\":" + number);
    }

    private static ResponseObject object(
            ResponseStatus status,
            @Nullable OutputMessage output,
            @Nullable Usage usage,
            @Nullable String incompleteReason) {
        return new ResponseObject(
                "resp_1",
                1,
                status,
                "fake",
                new ResponseObject.Settings(null, null, 1, 1, Map.of(), Tools.NONE, null, null, null, true),
                output == null ? List.of() : List.of(output),
                usage,
                incompleteReason,
                null);
    }
}
