package dev.weir.loadtest;

import org.jspecify.annotations.Nullable;

/**
 * The order, numbering and text of the events of one response of the Responses API. Owner: one connection.
 *
 * <p>Sequence numbers rise by one from whatever the first is; items, parts and texts nest; the deltas of a text
 * concatenate to its final text; and there is one terminal event, after which nothing comes. A response that ends
 * failed or incomplete may leave items open. Types this client does not know may stand anywhere inside.
 */
final class ResponsesCheck implements StreamCheck {

    private enum Place {
        START,
        HEAD,
        ITEM,
        PART,
        TEXT_CLOSED,
        BETWEEN_ITEMS,
        END
    }

    private Place place = Place.START;
    private long previousNumber = -1;
    private boolean isNumbered;
    private final TextFingerprint text = new TextFingerprint();

    @Override
    public void begin() {
        place = Place.START;
        previousNumber = -1;
        isNumbered = false;
        text.clear();
    }

    @Override
    public @Nullable String accept(StreamEvent event) {
        if (place == Place.END) {
            return event.type + " after the terminal event";
        }
        @Nullable String wrong = checkNumber(event);
        return wrong != null ? wrong : checkPlace(event);
    }

    private @Nullable String checkNumber(StreamEvent event) {
        if (event.kind == StreamEvent.Kind.ERROR
                && (event.sequenceNumber < 0 || event.sequenceNumber == previousNumber)) {
            return null; // it stands outside the response's numbering
        }
        if (place == Place.START) {
            isNumbered = event.sequenceNumber >= 0;
        } else if (isNumbered && event.sequenceNumber != previousNumber + 1) {
            return event.type + " has sequence_number " + event.sequenceNumber + " after " + previousNumber;
        }
        previousNumber = event.sequenceNumber;
        return null;
    }

    private @Nullable String checkPlace(StreamEvent event) {
        return switch (event.kind) {
            case QUEUED, CREATED, IN_PROGRESS -> {
                if (event.kind == StreamEvent.Kind.IN_PROGRESS && place == Place.START) {
                    yield misplaced(event);
                }
                yield move(event, place == Place.START || place == Place.HEAD, Place.HEAD);
            }
            case ITEM_ADDED -> move(event, place == Place.HEAD || place == Place.BETWEEN_ITEMS, Place.ITEM);
            case PART_ADDED -> {
                text.clear();
                yield move(event, place == Place.ITEM, Place.PART);
            }
            case TEXT_DELTA -> {
                text.append(event.text);
                yield move(event, place == Place.PART, Place.PART);
            }
            case TEXT_DONE -> {
                if (place == Place.PART && !text.sameAs(event.text)) {
                    yield "the deltas do not concatenate to the final text: " + text.length()
                            + " characters came as deltas, the final text has " + event.text.length();
                }
                yield move(event, place == Place.PART, Place.TEXT_CLOSED);
            }
            case PART_DONE ->
                move(event, place == Place.TEXT_CLOSED || (place == Place.PART && text.length() == 0), Place.ITEM);
            case ITEM_DONE -> move(event, place == Place.ITEM, Place.BETWEEN_ITEMS);
            case COMPLETED -> move(event, place == Place.HEAD || place == Place.BETWEEN_ITEMS, Place.END);
            case INCOMPLETE, FAILED -> move(event, place != Place.START, Place.END);
            case ERROR -> move(event, true, Place.END);
            case OTHER_DELTA, UNKNOWN -> move(event, place != Place.START, place);
            case CHUNK -> misplaced(event);
        };
    }

    private @Nullable String move(StreamEvent event, boolean isAllowed, Place next) {
        if (!isAllowed) {
            return misplaced(event);
        }
        place = next;
        return null;
    }

    private String misplaced(StreamEvent event) {
        String what = event.type.isEmpty() ? "an event without a type" : event.type;
        return switch (place) {
            case START -> what + " as the first event";
            case HEAD -> what + " before any output item";
            case ITEM -> what + " inside an output item without an open part";
            case PART -> what + " inside an open text";
            case TEXT_CLOSED -> what + " between output_text.done and content_part.done";
            case BETWEEN_ITEMS -> what + " between output items";
            case END -> what + " after the terminal event";
        };
    }
}
