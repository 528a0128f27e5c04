package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.Chunk;
import dev.weir.protocol.EventReader;
import dev.weir.protocol.FunctionCall;
import dev.weir.protocol.OutputItem;
import dev.weir.protocol.OutputMessage;
import dev.weir.protocol.RequestReader;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.ServerEvent;
import dev.weir.protocol.ToolCall;
import dev.weir.protocol.Tools;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers of the fake model that call functions: because they must, or because a test put the words into its mouth. */
final class ToolCallingTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WEATHER = """
            "name":"get_weather","description":"Gets the weather.","parameters":{"type":"object","properties":{
             "city":{"type":"string","maxLength":8},"days":{"type":"integer","minimum":1,"maximum":7}},
             "required":["city","days"],"additionalProperties":false}""";
    private static final String CHAT_TOOLS = "\"tools\":[{\"type\":\"function\",\"function\":{" + WEATHER
            + "}},{\"type\":\"function\",\"function\":{\"name\":\"now\"}}]";
    private static final String TOOLS =
            "\"tools\":[{\"type\":\"function\"," + WEATHER + "},{\"type\":\"function\",\"name\":\"now\"}]";
    private static final String ASKED = "{\"messages\":[{\"role\":\"user\",\"content\":\"Rain?\"}]," + CHAT_TOOLS + ",";
    private static final String PARIS =
            "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}\n</tool_call>";
    private static final String NOW = "<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>";

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = new TestServer(TestServer.Size.SMALL.withMaxTokens(4096));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void freely() {
        server.model.script = null;
    }

    /** What an answer comes to, without the names that differ each time. */
    private record Outcome(String text, List<String> calls, String end) {}

    private static HttpResponse<String> post(String path, String body) {
        HttpResponse<String> reply = server.post(path, body);
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(200);
        return reply;
    }

    private static JsonNode chat(String fields) throws Exception {
        return JSON.readTree(post("/v1/chat/completions", ASKED + fields + "}").body())
                .path("choices")
                .path(0);
    }

    private static Outcome whole(JsonNode choice) {
        List<String> calls = new ArrayList<>();
        for (JsonNode call : choice.path("message").path("tool_calls")) {
            assertThat(call.path("id").textValue()).startsWith("call_");
            assertThat(call.path("type").textValue()).isEqualTo("function");
            calls.add(call.path("function").path("name").textValue() + " "
                    + call.path("function").path("arguments").textValue());
        }
        assertThat(choice.path("message").path("content").isNull())
                .isEqualTo(!calls.isEmpty()
                        && choice.path("message").path("content").asText("").isEmpty());
        return new Outcome(
                choice.path("message").path("content").asText(""),
                calls,
                choice.path("finish_reason").textValue());
    }

    private static Outcome streamed(String fields) throws Exception {
        StringBuilder text = new StringBuilder();
        List<StringBuilder> calls = new ArrayList<>();
        String end = "";
        for (String line : post("/v1/chat/completions", ASKED + fields + ",\"stream\":true}")
                .body()
                .lines()
                .filter(event -> event.startsWith("data: {"))
                .toList()) {
            JsonNode choice = JSON.readTree(line.substring(6)).path("choices").path(0);
            text.append(choice.path("delta").path("content").asText(""));
            for (JsonNode call : choice.path("delta").path("tool_calls")) {
                JsonNode function = call.path("function");
                if (call.has("id")) {
                    assertThat(call.path("id").textValue()).startsWith("call_");
                    assertThat(call.path("index").intValue()).isEqualTo(calls.size());
                    calls.add(new StringBuilder(function.path("name").textValue()).append(' '));
                }
                calls.get(call.path("index").intValue())
                        .append(function.path("arguments").textValue());
            }
            end = choice.path("finish_reason").asText(end);
        }
        return new Outcome(
                text.toString(), calls.stream().map(StringBuilder::toString).toList(), end);
    }

    private static ToolCall parsed(String call) {
        int space = call.indexOf(' ');
        return new ToolCall("", call.substring(0, space), call.substring(space + 1));
    }

    private static void assertFits(ToolCall call) throws Exception {
        JsonNode arguments = JSON.readTree(call.arguments());
        if (call.name().equals("now")) {
            assertThat(arguments).isEqualTo(JSON.readTree("{}"));
        } else {
            assertThat(call.name()).isEqualTo("get_weather");
            assertThat(arguments.size()).isEqualTo(2);
            assertThat(arguments.path("city").textValue().length()).isLessThanOrEqualTo(8);
            assertThat(arguments.path("days").intValue()).isBetween(1, 7);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void aRequiredCallIsOneOfADeclaredFunctionWithArgumentsOfItsSchema(int seed) throws Exception {
        String sampled = ",\"temperature\":1.5,\"stop\":[\"a\",\"}\"],\"stop_token_ids\":[125],\"seed\":" + seed;
        String single = "\"tool_choice\":\"required\",\"parallel_tool_calls\":false";
        Outcome one = whole(chat(single + sampled));
        assertThat(one.text()).isEmpty();
        assertThat(one.end()).isEqualTo("tool_calls");
        assertThat(one.calls()).hasSize(1);
        assertFits(parsed(one.calls().getFirst()));
        assertThat(streamed(single + sampled)).isEqualTo(one);
        String named = "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}}";
        Outcome chosen = whole(chat(named + sampled));
        assertThat(chosen.calls()).singleElement().asString().startsWith("get_weather ");
        assertFits(parsed(chosen.calls().getFirst()));
        Outcome several = whole(chat("\"tool_choice\":\"required\"" + sampled));
        assertThat(several.calls()).isNotEmpty();
        for (String call : several.calls()) {
            assertFits(parsed(call));
        }
    }

    @Test
    void aCallIsReadFromWhateverTheModelWritesAndStreamsAsItIsWhole() throws Exception {
        String[][] scripts = {
            {"It rains.", "It rains.", "stop"},
            {NOW, "", "tool_calls", "now {}"},
            {"Let me see.\n" + PARIS, "Let me see.", "tool_calls", "get_weather {\"city\": \"Paris\", \"days\": 2}"},
            {PARIS + "\n" + NOW, "", "tool_calls", "get_weather {\"city\": \"Paris\", \"days\": 2}", "now {}"},
            {NOW + "\nSo.", "\nSo.", "tool_calls", "now {}"},
            {NOW.replace("{}", "{]"), NOW.replace("{}", "{]"), "stop"},
            {NOW.replace("now", "later"), NOW.replace("now", "later"), "stop"},
            {"\u00e9 <tool_call> {", "\u00e9 <tool_call> {", "stop"},
        };
        for (String[] script : scripts) {
            server.model.script = script[0];
            Outcome expected = new Outcome(script[1], List.of(script).subList(3, script.length), script[2]);
            String greedy = "\"temperature\":0";
            assertThat(whole(chat(greedy))).as(script[0]).isEqualTo(expected);
            assertThat(streamed(greedy)).as(script[0]).isEqualTo(expected);
            ResponseObject response = response("\"input\":\"Rain?\"," + TOOLS);
            assertThat(response.text()).isEqualTo(expected.text());
            assertThat(response.calls().stream().map(call -> call.name() + " " + call.arguments()))
                    .isEqualTo(expected.calls());
            assertStreamsAs(response, "{\"input\":\"Rain?\",\"temperature\":0," + TOOLS + "}");
        }
        assertThat(whole(chat("\"temperature\":0,\"tool_choice\":\"none\"")).end())
                .isEqualTo("stop");
    }

    private static ResponseObject response(String fields) {
        return EventReader.response(
                post("/v1/responses", "{\"temperature\":0," + fields + "}").body());
    }

    /** The events of each item, put together, are the item, and the items are those of the whole response. */
    private static void assertStreamsAs(ResponseObject whole, String request) {
        TestSocket socket = server.socket();
        socket.send("{\"type\":\"response.create\"," + request.substring(1));
        List<OutputItem> items = new ArrayList<>();
        StringBuilder deltas = new StringBuilder();
        List<EventReader.Received> events = socket.untilEnd();
        for (EventReader.Received received : events) {
            switch (received.event()) {
                case ServerEvent.OutputItemAdded(int index, OutputItem item) -> {
                    assertThat(index).isEqualTo(items.size());
                    assertThat(item.status()).isEqualTo(ResponseStatus.IN_PROGRESS);
                    deltas.setLength(0);
                }
                case ServerEvent.OutputTextDelta delta -> {
                    assertThat(delta.outputIndex()).isEqualTo(items.size());
                    deltas.append(delta.delta());
                }
                case ServerEvent.CallArgumentsDelta(String _, int index, String delta) -> {
                    assertThat(index).isEqualTo(items.size());
                    deltas.append(delta);
                }
                case ServerEvent.CallArgumentsDone(String _, int _, String _, String arguments) ->
                    assertThat(deltas).hasToString(arguments);
                case ServerEvent.OutputItemDone(int _, OutputItem item) -> {
                    assertThat(deltas).hasToString(content(item));
                    items.add(item);
                }
                default -> {}
            }
        }
        ResponseObject streamed = switch (events.getLast().event()) {
            case ServerEvent.Completed(ResponseObject response) -> response;
            case ServerEvent.Incomplete(ResponseObject response) -> response;
            default -> throw new AssertionError(events.getLast().event());
        };
        assertThat(streamed.output()).isEqualTo(items);
        assertThat(items.stream().map(ToolCallingTest::content))
                .containsExactlyElementsOf(
                        whole.output().stream().map(ToolCallingTest::content).toList());
        assertThat(items.stream().map(OutputItem::id)).doesNotHaveDuplicates();
        socket.socket.close();
    }

    private static String content(OutputItem item) {
        return switch (item) {
            case OutputMessage message -> message.text();
            case FunctionCall call -> call.call().arguments();
        };
    }

    @Test
    void aStrictFunctionIsHeldToItsSchemaFromTheMarkerOn() throws Exception {
        server.model.script =
                "Well <tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": 5, \"days\": 9}}";
        String strict = TOOLS.replace("\"name\":\"get_weather\"", "\"strict\":true,\"name\":\"get_weather\"");
        ResponseObject response = response("\"input\":\"Rain?\"," + strict);
        assertThat(response.text()).isEqualTo("Well");
        assertThat(response.calls()).isNotEmpty();
        for (ToolCall call : response.calls()) {
            assertFits(call);
        }
        assertThat(response.settings().tools().functions().getFirst().strict()).isTrue();
        assertStreamsAs(response, "{\"input\":\"Rain?\",\"temperature\":0," + strict + "}");
    }

    @Test
    void aCallThatIsCutByTheLimitSaysSo() throws Exception {
        String cut =
                "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"get_weather\"}},\"temperature\":0,"
                        + "\"max_tokens\":60";
        Outcome outcome = whole(chat(cut));
        assertThat(outcome.end()).isEqualTo("length");
        assertThat(outcome.calls()).hasSize(1);
        assertThat(streamed(cut)).isEqualTo(outcome);
        String fields = "\"input\":\"Rain?\",\"tool_choice\":{\"type\":\"function\",\"name\":\"get_weather\"},"
                + "\"max_output_tokens\":60," + TOOLS;
        ResponseObject response = response(fields);
        assertThat(response.status()).isEqualTo(ResponseStatus.INCOMPLETE);
        assertThat(response.output().getLast().status()).isEqualTo(ResponseStatus.INCOMPLETE);
        assertThat(response.calls()).isEmpty();
        assertStreamsAs(response, "{\"temperature\":0," + fields + "}");
    }

    @Test
    void aConversationGoesOnWithCallsAndResultsAsIfAllOfItWereSent() throws Exception {
        server.model.script = "Let me see.\n" + PARIS;
        ResponseObject first = response("\"input\":\"Rain?\"," + TOOLS);
        String callId = first.calls().getFirst().id();
        server.model.script = null;
        String result = "{\"type\":\"function_call_output\",\"call_id\":\"" + callId + "\",\"output\":\"no\"}";
        String greedy = ",\"max_output_tokens\":40,";
        ResponseObject next =
                response("\"input\":[" + result + "],\"previous_response_id\":\"" + first.id() + "\"" + greedy + TOOLS);
        String call = "{\"type\":\"function_call\",\"call_id\":\"" + callId
                + "\",\"name\":\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Paris\\\",\\\"days\\\":2}\"}";
        ResponseObject sent = response("\"input\":[{\"role\":\"user\",\"content\":\"Rain?\"},"
                + "{\"role\":\"assistant\",\"content\":\"Let me see.\"}," + call + "," + result + "]" + greedy + TOOLS);
        assertThat(next.text()).isEqualTo(sent.text()).isNotEmpty();
        assertThat(Objects.requireNonNull(next.usage()).promptTokens())
                .isEqualTo(Objects.requireNonNull(sent.usage()).promptTokens());
        JsonNode chat = JSON.readTree(
                post("/v1/chat/completions", """
                {"messages":[{"role":"user","content":"Rain?"},{"role":"assistant","content":"Let me see.","tool_calls":[{"id":"c",
                 "type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\",\\"days\\":2}"}}]},
                 {"role":"tool","tool_call_id":"c","content":"no"}],"temperature":0,"max_tokens":40,%s}""".formatted(CHAT_TOOLS)).body());
        assertThat(chat.path("choices").path(0).path("message").path("content").textValue())
                .isEqualTo(next.text());
        JsonNode tokens = JSON.readTree(post("/tokenize", ASKED.substring(0, ASKED.length() - 1) + "}")
                .body());
        assertThat(tokens.path("count").intValue())
                .isEqualTo(Objects.requireNonNull(first.usage()).promptTokens());
        assertThat(server.get("/v1/responses/" + sent.id() + "/input_items?order=asc")
                        .body())
                .contains(call.substring(1, call.length() - 1))
                .contains(result.substring(1, result.length() - 1));
    }

    @Test
    void eventsOfCallsAreReplayedByteForByte() throws Exception {
        server.model.script = "So: " + PARIS + NOW;
        String events = post("/v1/responses", "{\"input\":\"Rain?\",\"stream\":true," + TOOLS + "}")
                .body();
        assertThat(events).contains("response.function_call_arguments.delta");
        String id = ((ServerEvent.Created) EventReader.read(events.lines()
                                .filter(line -> line.startsWith("data: "))
                                .findFirst()
                                .orElseThrow()
                                .substring(6))
                        .event())
                .response()
                .id();
        assertThat(server.get("/v1/responses/" + id + "?stream=true").body()).isEqualTo(events);
    }

    @Test
    void aResultWithoutItsCallAndAModelThatKnowsNoFunctionsAreRefusedByName() {
        HttpResponse<String> reply = server.post("/v1/chat/completions", """
                {"messages":[{"role":"tool","tool_call_id":"call_9","content":"no"}]}""");
        ApiError error = Objects.requireNonNull(Chunk.read(reply.body()).error());
        assertThat(error.param()).isEqualTo("messages");
        assertThat(error.message()).contains("\"call_9\"").contains("send the call too");
        ChatPrompts plain = new ChatPrompts("plain", TestModelFolder.tokenizer(), TestModelFolder.plainTemplate());
        List<ChatMessage> asked = List.of(new ChatMessage("user", "a"));
        assertThat(plain.encode(asked, Tools.NONE, true, "messages")).isNotEmpty();
        assertThatThrownBy(() -> plain.encode(
                        asked,
                        RequestReader.response("{\"input\":\"x\"," + TOOLS + "}")
                                .tools(),
                        true,
                        "messages"))
                .hasMessage(
                        "tools is sent, but the chat template of the model \"plain\" knows no functions, or none in a"
                                + " form that is served; leave it out");
        assertThatThrownBy(() -> plain.encode(
                        List.of(ChatMessage.assistant("", List.of(new ToolCall("c", "f", "{}")))),
                        Tools.NONE,
                        true,
                        "input"))
                .hasMessageStartingWith("input has a call of a function");
    }
}
