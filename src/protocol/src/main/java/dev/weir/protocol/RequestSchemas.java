package dev.weir.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * The schemas of requests. They are what the readers ask of examples, which together show each form that a field may have. Any
 * thread.
 */
final class RequestSchemas {
    private static final String FUNCTION = """
            "name":"add","description":"adds","parameters":{"type":"object","properties":{}},"strict":true""";

    private static final String MESSAGES = """
            "messages":[{"role":"system","content":[{"type":"text","text":"a"}]},
            {"role":"developer","content":[{"type":"input_text","text":"a"},{"type":"output_text","text":"a"}]},
            {"role":"user","content":"a"},{"role":"assistant","content":"a"},
            {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"add","arguments":"{}"}}]},
            {"role":"tool","tool_call_id":"c","content":"3"}]""";

    private static final List<String> COMPLETIONS = List.of("""
            {"model":"weir-mini","prompt":"Once upon a time","max_tokens":32,"temperature":0.8}""", """
            {"prompt":["a","b"],"stream":true,"stream_options":{"include_usage":true}}""", """
            {"prompt":[1,2]}""", """
            {"prompt":[[1,2],[3]],"structured_outputs":{"json":{"type":"object","properties":{}}}}""", """
            {"prompt":"a","structured_outputs":{"json_object":true}}""");

    private static final List<String> CHATS = List.of("""
            {"model":"weir-mini","messages":[{"role":"user","content":"Tell me a story about a hedgehog."}],"temperature":0.8}""", """
            {%s,"stream":true,"stream_options":{"include_usage":true},
            "tools":[{"type":"function","function":{%s}}],"tool_choice":"required"}""".formatted(MESSAGES, FUNCTION), """
            {"messages":[{"role":"user","content":"a"}],"tools":[{"type":"function","function":{"name":"add"}}],
            "tool_choice":{"type":"function","function":{"name":"add"}}}""", """
            {"messages":[{"role":"user","content":"a"}],"tool_choice":"auto","response_format":{"type":"text"}}""", """
            {"messages":[{"role":"user","content":"a"}],"tool_choice":"none","response_format":{"type":"json_object"}}""", """
            {"messages":[{"role":"user","content":"a"}],"response_format":{"type":"json_schema",
            "json_schema":{"name":"a","schema":{"type":"object","properties":{}}}}}""", """
            {"messages":[{"role":"user","content":"a"}],
            "structured_outputs":{"json":{"type":"object","properties":{}}}}""");

    /** The fields of requests for a response, without the braces, so that an event can hold them too. */
    private static final List<String> RESPONSES = List.of("""
            "model":"weir-mini","input":"Tell me a story about a hedgehog.","max_output_tokens":64""", """
            "input":[{"role":"user","content":"a"},{"type":"message","role":"system","content":[{"type":"text","text":"a"}]},
            {"role":"developer","content":[{"type":"input_text","text":"a"}]},
            {"type":"message","role":"developer","content":"a"},{"type":"message","role":"user","content":"a"},
            {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]},
            {"role":"system","content":"a"},{"role":"assistant","content":[{"type":"text","text":"a"},
            {"type":"output_text","text":"a"}]},
            {"type":"message","role":"user","content":[{"type":"input_text","text":"a"}]},
            {"type":"function_call","call_id":"c","name":"add","arguments":"{}"},
            {"type":"function_call_output","call_id":"c","output":"3"},
            {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"3"}]}],
            "conversation":"conv_1","include":["message.output_text.logprobs"],"text":{"format":{"type":"text"}},
            "tools":[{"type":"function",%s}],"tool_choice":"required\"""".formatted(FUNCTION), """
            "input":"a","tools":[{"type":"function","name":"add"}],"tool_choice":{"type":"function","name":"add"}""", """
            "input":"a","conversation":{"id":"conv_1"},"tool_choice":"auto","text":{"format":{"type":"json_object"}}""", """
            "input":"a","tool_choice":"none","text":{"format":{"type":"json_schema","name":"a",
            "schema":{"type":"object","properties":{}}}}""", """
            "input":"a","structured_outputs":{"json":{"type":"object","properties":{}}}""");

    private static final List<String> OTHER_EVENTS = List.of("""
            {"type":"response.cancel","response_id":"resp_1"}""", """
            {"type":"response.resume","response_id":"resp_1","starting_after":7}""", """
            {"type":"response.steer","previous_response_id":"resp_1","input":"a"}""", """
            {"type":"response.steer","previous_response_id":"resp_1","input":[{"role":"user","content":"a"}]}""");

    private static final List<String> TOKENIZE = List.of("""
            {"model":"weir-mini","prompt":"Once upon a time"}""", """
            {%s,"tool_choice":"auto",
            "tools":[{"type":"function","function":{%s}}]}""".formatted(MESSAGES, FUNCTION));

    private static final List<String> DETOKENIZE = List.of("""
            {"model":"weir-mini","tokens":[1,2,3]}""");

    private static final List<String> CLASSIFY = List.of("""
            {"model":"my-labels","input":["What a film!","I left early."]}""", """
            {"input":"a"}""");

    private static final List<String> EMBEDDINGS = List.of("""
            {"model":"my-embeddings","input":["The weather is fine.","It rains."],"encoding_format":"float"}""", """
            {"input":"a","encoding_format":"base64"}""", """
            {"input":[1,2],"encoding_format":"float"}""", """
            {"input":[[1,2],[3]],"encoding_format":"float"}""");

    private static final List<String> ITEMS = List.of(
            """
            {"items":[{"type":"message","role":"user","content":"Tell me a story about a hedgehog."}]}""", """
            {"items":%s}""".formatted(Json.parseObject("{" + RESPONSES.get(1) + "}").value("input")));

    private static final List<String> NOTES = List.of("""
            {"metadata":{"topic":"hedgehogs"}}""");

    private static final List<String> CONVERSATIONS = List.of("""
            {"items":[{"role":"user","content":"Tell me a story about a hedgehog."}],"metadata":{"topic":"hedgehogs"}}""", ITEMS.get(1));

    private RequestSchemas() {}

    /** All of them by name. */
    static SequencedMap<String, ObjectNode> all() {
        List<String> responses =
                RESPONSES.stream().map(fields -> "{" + fields + "}").toList();
        List<String> creations = RESPONSES.stream()
                .map(fields -> "{\"type\":\"response.create\"," + fields + "}")
                .toList();
        SequencedMap<String, ObjectNode> all = new LinkedHashMap<>();
        all.put("ChatCompletionRequest", schema(CHATS, RequestReader::chatCompletion));
        all.put("CompletionRequest", schema(COMPLETIONS, RequestReader::completion));
        all.put("ResponseRequest", schema(responses, RequestReader::response));
        all.put(
                "ClientEvent",
                JsonShape.merge(
                        schema(creations, RequestReader::clientEvent),
                        schema(OTHER_EVENTS, RequestReader::clientEvent)));
        all.put("ConversationRequest", schema(CONVERSATIONS, RequestReader::conversation));
        all.put("ConversationUpdate", schema(NOTES, RequestReader::conversationUpdate));
        all.put("ConversationItems", schema(ITEMS, RequestReader::items));
        all.put("TokenizeRequest", schema(TOKENIZE, RequestReader::tokenize));
        all.put("DetokenizeRequest", schema(DETOKENIZE, RequestReader::detokenize));
        all.put("ClassifyRequest", schema(CLASSIFY, RequestReader::classify));
        all.put("EmbeddingRequest", schema(EMBEDDINGS, RequestReader::embedding));
        return all;
    }

    /** A body to begin with for each schema of a request. */
    static Map<String, JsonNode> examples() {
        return Map.of(
                "ChatCompletionRequest", Json.tree(CHATS.getFirst()),
                "CompletionRequest", Json.tree(COMPLETIONS.getFirst()),
                "ResponseRequest", Json.tree("{" + RESPONSES.getFirst() + "}"),
                "ConversationRequest", Json.tree(CONVERSATIONS.getFirst()),
                "ConversationUpdate", Json.tree(NOTES.getFirst()),
                "ConversationItems", Json.tree(ITEMS.getFirst()),
                "TokenizeRequest", Json.tree(TOKENIZE.getFirst()),
                "DetokenizeRequest", Json.tree(DETOKENIZE.getFirst()),
                "ClassifyRequest", Json.tree(CLASSIFY.getFirst()),
                "EmbeddingRequest", Json.tree(EMBEDDINGS.getFirst()));
    }

    private static ObjectNode schema(List<String> examples, Consumer<Fields> reader) {
        return examples.stream()
                .map(example -> {
                    FieldNotes notes = new FieldNotes();
                    reader.accept(new Fields(Json.tree(example), "", notes));
                    return notes.schema();
                })
                .reduce(JsonShape::merge)
                .orElseThrow();
    }
}
