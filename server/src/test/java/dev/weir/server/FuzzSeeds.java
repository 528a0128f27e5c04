package dev.weir.server;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** Valid messages for a server with a {@link FakeModel}, short answers all of them, from which broken ones are made. */
final class FuzzSeeds {
    /** A body and where it goes. */
    record Body(String path, String json) {
        byte[] bytes() {
            return json.getBytes(StandardCharsets.UTF_8);
        }
    }

    private static final String ITEMS = """
            [{"type":"message","role":"user","content":[{"type":"input_text","text":"hi \\ud83d\\ude00"}]},\
            {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},\
            {"type":"function_call_output","call_id":"c","output":"1"}]""";

    private static final String SCHEMA = """
            {"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x","y",null]}},"required":["a"],\
            "additionalProperties":false}""";

    private static final String RESPONSE = """
            "model":"fake","input":"é","max_output_tokens":3,"temperature":0""";

    private static final List<String> RESPONSES = List.of(
            "{" + RESPONSE + "}",
            "{" + RESPONSE + ",\"stream\":true,\"store\":false,\"metadata\":{\"a\":\"b\"}}",
            "{\"input\":" + ITEMS + ",\"instructions\":\"i\",\"max_output_tokens\":2,\"tools\":"
                    + "[{\"type\":\"function\",\"name\":\"f\",\"parameters\":" + SCHEMA + "}],\"tool_choice\":\"auto\","
                    + "\"include\":[\"message.output_text.logprobs\"],\"top_logprobs\":2}",
            "{" + RESPONSE + ",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"x\",\"schema\":" + SCHEMA
                    + ",\"strict\":true}},\"priority\":-1,\"time_limit_ms\":1000,\"seed\":7}",
            "{" + RESPONSE + ",\"generate\":false,\"previous_response_id\":\"resp_1\"}");

    private static final String CHAT = """
            {"model":"fake","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text",\
            "text":"é"}]},{"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",\
            "function":{"name":"f","arguments":"{\\"a\\": 1}"}}]},{"role":"tool","tool_call_id":"call_1",\
            "content":"2"}],"temperature":0.5,"top_p":1,"top_k":3,"min_p":0.1,"n":2,"max_completion_tokens":2,\
            "stop":["a","b"],"stream":true,"stream_options":{"include_usage":true},"logprobs":true,"top_logprobs":3,\
            "logit_bias":{"5":-100},"seed":1,"tools":[{"type":"function","function":{"name":"f","parameters":""" + SCHEMA + "}}],\"tool_choice\":\"required\"}";

    /** Bodies of requests. */
    static final List<Body> BODIES = List.of(
            new Body("/v1/completions", "{\"prompt\":\"ä\",\"max_tokens\":2}"),
            new Body("/v1/completions", """
                            {"model":"fake","prompt":[[1,2,3],[4]],"max_tokens":3,"best_of":3,"n":1,"echo":true,\
                            "logprobs":2,"frequency_penalty":-2,"presence_penalty":2,"repetition_penalty":1.1,\
                            "bad_words":["x"],"allowed_token_ids":[97,98],"stop_token_ids":[2],"ignore_eos":true,\
                            "min_tokens":1,"include_stop_str_in_output":true}"""),
            new Body("/v1/completions", """
                            {"prompt":"a","max_tokens":4,"stream":true,"structured_outputs":{"regex":"(ab|c)+[d-f]{2}"}}"""),
            new Body("/v1/chat/completions", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":2}"),
            new Body("/v1/chat/completions", CHAT),
            new Body("/v1/responses", RESPONSES.get(0)),
            new Body("/v1/responses", RESPONSES.get(1)),
            new Body("/v1/responses", RESPONSES.get(2)),
            new Body("/v1/responses", RESPONSES.get(3)),
            new Body("/v1/responses/resp_1/cancel", ""),
            new Body("/v1/responses", "{" + RESPONSE + ",\"conversation\":{\"id\":\"conv_1\"}}"),
            new Body("/v1/conversations", "{\"items\":" + ITEMS + ",\"metadata\":{\"a\":\"b\"}}"),
            new Body("/v1/conversations/conv_1", "{\"metadata\":{}}"),
            new Body("/v1/conversations/conv_1/items", "{\"items\":" + ITEMS + "}"),
            new Body("/v1/classify", "{\"input\":[\"a\",\"b\"]}"),
            new Body("/v1/embeddings", "{\"input\":[[1],[2,3]],\"encoding_format\":\"base64\",\"dimensions\":4}"),
            new Body("/tokenize", "{\"prompt\":\"a\",\"add_special_tokens\":true,\"return_token_strs\":true}"),
            new Body("/tokenize", "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}"),
            new Body("/detokenize", "{\"tokens\":[104,105]}"));

    /** What is asked for without a body. */
    static final List<String> PATHS = List.of(
            "/",
            "/v1/models",
            "/v1/models/fake",
            "/v1/responses",
            "/v1/responses/resp_1",
            "/v1/responses/resp_1?stream=true&starting_after=3",
            "/v1/responses/resp_1/input_items?limit=2&order=asc&after=msg_1",
            "/v1/conversations/conv_1",
            "/v1/conversations/conv_1/items?limit=2&order=asc&after=msg_1",
            "/v1/conversations/conv_1/items/msg_1",
            "/health",
            "/health/ready",
            "/metrics",
            "/openapi.json",
            "/index.html",
            "/webjars/../webroot/%2e%2e/index.html");

    /** Client events of a WebSocket. */
    static final List<String> EVENTS = List.of(
            event("create", RESPONSE),
            event("create", "\"stream_id\":\"lane.1\",\"event_id\":\"e\"," + inner(RESPONSES.get(1))),
            event("create", inner(RESPONSES.get(2))),
            event("create", "\"stream_id\":\"b\"," + inner(RESPONSES.get(3))),
            event("create", inner(RESPONSES.get(4))),
            event("cancel", "\"response_id\":\"resp_1\""),
            event("cancel", "\"stream_id\":\"lane.1\""),
            event("resume", "\"response_id\":\"resp_1\",\"starting_after\":4"),
            event("steer", "\"previous_response_id\":\"resp_1\",\"input\":\"x\""));

    private FuzzSeeds() {}

    private static String event(String type, String fields) {
        return "{\"type\":\"response." + type + "\"," + fields + "}";
    }

    private static String inner(String object) {
        return object.substring(1, object.length() - 1);
    }
}
