package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What has to hold of the events of one response among each other, beyond what each says by itself. */
final class ResponseStreamLaws {
    private final List<JsonNode> items = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final StringBuilder deltas = new StringBuilder();
    private ArrayNode logprobs = JsonNodeFactory.instance.arrayNode();
    private @Nullable JsonNode item;
    private boolean isPartOpen;

    private ResponseStreamLaws() {}

    /** All events of a response, from the first to the last. */
    static void check(List<JsonNode> events) {
        checkNumbers(events, 0);
        JsonNode begun = events.getFirst();
        assertThat(type(begun)).isEqualTo("response.created");
        assertThat(type(events.get(1))).isEqualTo("response.in_progress");
        assertThat(events.get(1).path("response")).isEqualTo(begun.path("response"));
        assertThat(begun.path("response").path("status").textValue()).isEqualTo("in_progress");
        ResponseStreamLaws laws = new ResponseStreamLaws();
        events.subList(2, events.size() - 1).forEach(laws::accept);
        laws.end(begun.path("response"), events.getLast());
    }

    /** The numbers of events rise by one. */
    static void checkNumbers(List<JsonNode> events, int first) {
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).path("sequence_number").intValue()).isEqualTo(first + i);
        }
    }

    private static String type(JsonNode event) {
        return event.path("type").textValue();
    }

    private void accept(JsonNode event) {
        assertThat(event.path("output_index").intValue()).as("%s", event).isEqualTo(items.size());
        switch (type(event)) {
            case "response.output_item.added" -> {
                assertThat(item).as("an item that is still open").isNull();
                item = event.path("item");
                assertThat(item.path("status").textValue()).isEqualTo("in_progress");
                assertThat(ids.add(item.path("id").textValue())).as("%s", event).isTrue();
                deltas.setLength(0);
                logprobs = JsonNodeFactory.instance.arrayNode();
            }
            case "response.content_part.added" -> {
                requirePlace(event, "message");
                assertThat(isPartOpen).isFalse();
                assertThat(event.path("part").path("text").textValue()).isEmpty();
                isPartOpen = true;
            }
            case "response.output_text.delta" -> {
                requirePlace(event, "message");
                assertThat(isPartOpen).isTrue();
                deltas.append(event.path("delta").textValue());
                event.path("logprobs").forEach(logprobs::add);
            }
            case "response.output_text.done" -> {
                requirePlace(event, "message");
                assertThat(event.path("text").textValue()).isEqualTo(deltas.toString());
                assertThat(event.path("logprobs")).isEqualTo(logprobs);
            }
            case "response.content_part.done" -> {
                requirePlace(event, "message");
                assertThat(event.path("part").path("text").textValue()).isEqualTo(deltas.toString());
                assertThat(event.path("part").path("logprobs").findValuesAsText("token"))
                        .isEqualTo(logprobs.findValuesAsText("token"));
                isPartOpen = false;
            }
            case "response.function_call_arguments.delta" -> {
                requirePlace(event, "function_call");
                deltas.append(event.path("delta").textValue());
            }
            case "response.function_call_arguments.done" -> {
                requirePlace(event, "function_call");
                assertThat(event.path("arguments").textValue()).isEqualTo(deltas.toString());
            }
            case "response.output_item.done" -> itemDone(event.path("item"));
            default -> throw new AssertionError(event + " has no place between the begin and the end");
        }
    }

    private void requirePlace(JsonNode event, String itemType) {
        assertThat(item).as("the item of %s", event).isNotNull();
        assertThat(type(item)).isEqualTo(itemType);
        assertThat(event.path("item_id")).isEqualTo(item.path("id"));
        assertThat(event.path("content_index").asInt(0)).isZero();
    }

    private void itemDone(JsonNode done) {
        assertThat(item).isNotNull();
        assertThat(isPartOpen).isFalse();
        for (String same : List.of("id", "type", "role", "call_id", "name")) {
            assertThat(done.path(same)).isEqualTo(item.path(same));
        }
        JsonNode text = done.has("content") ? done.path("content").path(0).path("text") : done.path("arguments");
        assertThat(text.textValue()).isEqualTo(deltas.toString());
        assertThat(done.path("status").textValue()).isNotEqualTo("in_progress");
        items.add(done);
        item = null;
    }

    private void end(JsonNode begun, JsonNode last) {
        JsonNode whole = last.path("response");
        String status = whole.path("status").textValue();
        assertThat(type(last))
                .as("%s", last)
                .isEqualTo("response." + (status.equals("cancelled") ? "incomplete" : status));
        begun.fieldNames().forEachRemaining(name -> {
            if (!Set.of("status", "output", "usage", "error", "incomplete_details")
                    .contains(name)) {
                assertThat(whole.path(name)).as(name).isEqualTo(begun.path(name));
            }
        });
        assertThat(whole.path("error").isNull()).isEqualTo(!status.equals("failed"));
        assertThat(whole.path("incomplete_details").isNull()).isEqualTo(!status.equals("incomplete"));
        if (!status.equals("failed")) {
            assertThat(item).as("an item that is still open").isNull();
            assertThat(whole.path("output")).containsExactlyElementsOf(items);
            assertThat(whole.path("usage").isObject()).isTrue();
        }
    }
}
