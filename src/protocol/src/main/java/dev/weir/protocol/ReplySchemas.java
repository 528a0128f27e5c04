package dev.weir.protocol;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The schemas of what is answered. They are the shapes of what the writers write of examples. Any thread. */
final class ReplySchemas {
    private static final Usage USAGE = new Usage(3, 5, 2);
    private static final ToolCall CALL = new ToolCall("call_1", "add", "{}");
    private static final List<TokenLogprob> LOGPROBS = List.of(new TokenLogprob(
            "a", -0.5, List.of(97), 0, List.of(new TokenLogprob("a", -0.5, List.of(97), 0, List.of()))));
    private static final JsonSchema.Document ANYTHING = new JsonSchema.Document(new JsonSchema.Any(), Map.of());
    private static final ApiError INVALID = ApiError.invalid("invalid_value", "n", "why");
    private static final ApiError UNNAMED = ApiError.invalid(null, null, "why");

    private ReplySchemas() {}

    /** All of them by name. */
    static SequencedMap<String, ObjectNode> all() {
        SequencedMap<String, ObjectNode> all = new LinkedHashMap<>();
        for (ChunkWriter.Kind kind : ChunkWriter.Kind.values()) {
            String name = kind == ChunkWriter.Kind.CHAT ? "ChatCompletion" : "Completion";
            all.put(name, shape(whole(kind)));
            all.put(name + "Chunk", shape(chunks(kind)));
        }
        all.put("Response", shape(responses().map(EventWriter::response)));
        all.put("OutputItem", shape(items().map(item -> Json.write(out -> ItemJson.write(out, item)))));
        List<ObjectNode> events = new ArrayList<>();
        events().forEach(event -> {
            String name = event.getClass().getSimpleName() + "Event";
            String plain = new EventWriter().next(event);
            ObjectNode shape = shape(Stream.of(plain, EventWriter.inLane(plain, "lane")));
            if (all.put(name, all.containsKey(name) ? JsonShape.merge(all.get(name), shape) : shape) == null) {
                events.add(JsonShape.reference(name));
            }
        });
        Stream<String> brokenOff = Stream.of(INVALID, UNNAMED).map(error -> EventWriter.brokenOff(error, 3));
        all.merge("RefusedEvent", shape(brokenOff), JsonShape::merge);
        all.put("ServerEvent", JsonShape.anyOf(events));
        all.put("Error", shape(Stream.of(INVALID, UNNAMED).map(ApiError::toJson)));
        all.put("Model", shape(Stream.of(Replies.model("a", 1, 2))));
        all.put("ModelList", shape(Stream.of(Replies.models("a", 1, 2))));
        all.put("Tokens", shape(Stream.of(null, List.of("a")).map(texts -> Replies.tokens(new int[] {1}, 2, texts))));
        all.put("Text", shape(Stream.of(Replies.prompt("a"))));
        all.put(
                "Classification",
                shape(Stream.of(Replies.classified("a", 1, "a", List.of(new Classified("a", new float[] {0.5f})), 1))));
        all.put(
                "EmbeddingList",
                shape(Stream.of(false, true)
                        .map(isBase64 -> Replies.embeddings("a", List.of(new float[] {0.5f}), isBase64, 1))));
        all.put("DeletedResponse", shape(Stream.of(Replies.deletedResponse("a"))));
        all.put("ItemList", shape(pages().map(Replies::items)));
        all.put(
                "ConversationItem",
                shape(pages().flatMap(page -> page.items().stream().map(ConversationJson::write))));
        all.put(
                "Conversation",
                shape(Stream.of(ConversationJson.write(new ConversationObject("a", 1, Map.of("a", "b"))))));
        all.put("DeletedConversation", shape(Stream.of(Replies.deletedConversation("a"))));
        return all;
    }

    private static ObjectNode shape(Stream<String> examples) {
        return examples.map(example -> JsonShape.object("", Json.tree(example)))
                .reduce(JsonShape::merge)
                .orElseThrow();
    }

    private static Stream<String> whole(ChunkWriter.Kind kind) {
        List<ChunkWriter.Choice> choices = new ArrayList<>();
        choices.add(new ChunkWriter.Choice("a", List.of(), LOGPROBS, "stop"));
        choices.add(new ChunkWriter.Choice("a", List.of(), List.of(), "length"));
        if (kind == ChunkWriter.Kind.CHAT) {
            choices.add(new ChunkWriter.Choice("", List.of(CALL), List.of(), "tool_calls"));
        }
        return Stream.of(new ChunkWriter(kind, "id", 1, "model", false).whole(choices, USAGE));
    }

    private static Stream<String> chunks(ChunkWriter.Kind kind) {
        ChunkWriter writer = new ChunkWriter(kind, "id", 1, "model", true);
        Stream<String> both = Stream.of(
                new ChunkWriter(kind, "id", 1, "model", false).text(0, "a", List.of()),
                writer.text(0, "a", LOGPROBS),
                writer.finish(0, "stop"),
                writer.finish(0, "length"),
                writer.usage(USAGE));
        return kind == ChunkWriter.Kind.COMPLETION
                ? both
                : Stream.concat(
                        both,
                        Stream.of(
                                writer.role(0),
                                writer.call(0, 0, "call_1", "add"),
                                writer.arguments(0, 0, "{}"),
                                writer.finish(0, "tool_calls")));
    }

    private static ResponseObject response(Tools tools, @Nullable OutputFormat format) {
        return ResponseObject.inProgress(
                "resp_1",
                1,
                "model",
                new ResponseObject.Settings(
                        "a", 1, 0.5, 0.5, Map.of("a", "b"), tools, format, "resp_0", "conv_1", true));
    }

    private static Stream<ResponseObject> responses() {
        ResponseObject plain = ResponseObject.inProgress(
                "resp_1",
                1,
                "model",
                new ResponseObject.Settings(
                        null, null, 0.5, 0.5, Map.of("a", "b"), Tools.NONE, null, null, null, true));
        List<FunctionTool> functions = List.of(
                new FunctionTool("add", "adds", "{}", true, null), new FunctionTool("add", null, null, false, null));
        Stream<ResponseObject> asked = Stream.of(Tools.Choice.values())
                .map(choice -> response(
                        new Tools(functions, choice, choice == Tools.Choice.FUNCTION ? "add" : null, true),
                        new OutputFormat.Schema("text.format", "a", "{}", ANYTHING)));
        Stream<ResponseObject> ended = Stream.of(ResponseStatus.values())
                .map(status -> plain.ended(status, items().toList(), USAGE, "max_output_tokens"));
        return Stream.of(
                        Stream.of(plain, plain.failed(INVALID)),
                        asked,
                        ended,
                        Stream.of(response(Tools.NONE, new OutputFormat.JsonObject("text.format"))))
                .flatMap(stream -> stream);
    }

    private static Stream<OutputItem> items() {
        return Stream.of(ResponseStatus.IN_PROGRESS, ResponseStatus.COMPLETED, ResponseStatus.INCOMPLETE)
                .flatMap(status -> Stream.of(
                        new OutputMessage("msg_1", status, "a", LOGPROBS), new FunctionCall("fc_1", status, CALL)));
    }

    private static Stream<ServerEvent> events() {
        ResponseObject response = response(Tools.NONE, null);
        OutputItem item = new FunctionCall("fc_1", ResponseStatus.COMPLETED, CALL);
        return Stream.of(
                new ServerEvent.Created(response),
                new ServerEvent.InProgress(response),
                new ServerEvent.OutputItemAdded(0, item),
                new ServerEvent.ContentPartAdded("msg_1", 0),
                new ServerEvent.OutputTextDelta("msg_1", 0, "a", LOGPROBS),
                new ServerEvent.OutputTextDone("msg_1", 0, "a", LOGPROBS),
                new ServerEvent.ContentPartDone("msg_1", 0, "a", LOGPROBS),
                new ServerEvent.CallArgumentsDelta("fc_1", 0, "{}"),
                new ServerEvent.CallArgumentsDone("fc_1", 0, "add", "{}"),
                new ServerEvent.OutputItemDone(0, item),
                new ServerEvent.Completed(response),
                new ServerEvent.Incomplete(response),
                new ServerEvent.Failed(response),
                new ServerEvent.Refused(INVALID, "event", 1L),
                new ServerEvent.Refused(UNNAMED, null, null),
                new ServerEvent.SteerFailed("resp_1", "\"a\"", "code", "why"),
                new ServerEvent.SteerFailed("resp_1", "[{}]", "code", "why"));
    }

    private static Stream<ItemPage> pages() {
        List<ConversationItem> items = Stream.of(
                        new ChatMessage("user", "a"),
                        new ChatMessage("system", "a"),
                        ChatMessage.assistant("a", List.of()),
                        ChatMessage.assistant("", List.of(CALL)),
                        ChatMessage.result("call_1", "3"))
                .map(message -> new ConversationItem("item", ResponseStatus.COMPLETED, message))
                .toList();
        return Stream.of(new ItemPage(items, true), new ItemPage(List.of(), false));
    }
}
