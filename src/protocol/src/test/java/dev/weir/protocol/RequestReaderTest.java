package dev.weir.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RequestReaderTest {
    @Test
    void completionTakesTextOrTokenIds() {
        assertThat(RequestReader.completion("{\"prompt\":\"To be\"}").prompts())
                .containsExactly(new Prompt.Text("To be"));
        assertThat(RequestReader.completion("{\"prompt\":[\"To be\",\"or not\"]}")
                        .prompts())
                .containsExactly(new Prompt.Text("To be"), new Prompt.Text("or not"));
        assertThat(RequestReader.completion("{\"prompt\":[[1,2],[3],[4]]}").prompts())
                .hasSize(3);
        assertThat(tokens("{\"prompt\":[5,6,7]}")).containsExactly(5, 6, 7);
        assertThat(tokens("{\"prompt\":[[5,6.0,7]]}")).containsExactly(5, 6, 7);
    }

    @Test
    void theThreeNamesOfAnOutputFormatMeanTheSame() {
        String schema = "{\"type\":\"integer\"}";
        OutputFormat chat =
                RequestReader.chatCompletion("""
                        {"messages":[{"role":"user","content":"x"}],
                         "response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":%s}}}""".formatted(schema)).sampling().format();
        OutputFormat response =
                RequestReader.response("""
                        {"input":"x","text":{"format":{"type":"json_schema","name":"n","schema":%s}}}""".formatted(schema)).sampling().format();
        OutputFormat vllm =
                RequestReader.completion("""
                        {"prompt":"x","structured_outputs":{"json":%s}}""".formatted(schema)).sampling().format();
        JsonSchema.Document document = new JsonSchema.Document(new JsonSchema.Whole(null, null), Map.of());
        assertThat(chat)
                .isEqualTo(new OutputFormat.Schema("response_format.json_schema.schema", "n", schema, document));
        assertThat(response).isEqualTo(new OutputFormat.Schema("text.format.schema", "n", schema, document));
        assertThat(vllm).isEqualTo(new OutputFormat.Schema("structured_outputs.json", "", schema, document));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    "response_format":{"type":"xml"}                     | response_format.type
                    "response_format":{"type":"json_schema"}             | response_format.json_schema
                    "response_format":{"type":"json_schema","json_schema":{"name":"n"}} | response_format.json_schema.schema
                    "response_format":"json"                             | response_format
                    "structured_outputs":{}                              | structured_outputs
                    "structured_outputs":{"grammar":"root ::= x"}        | structured_outputs.grammar
                    "structured_outputs":{"regex":"a","choice":["b"]}    | structured_outputs
                    "structured_outputs":{"choice":[""]}                 | structured_outputs.choice[0]
                    "structured_outputs":{"regex":"a"},"response_format":{"type":"json_object"} | structured_outputs.regex
                    """)
    void formatsThatCannotBeReadAreRefusedByName(String field, String param) {
        assertThatThrownBy(() -> RequestReader.completion("{\"prompt\":\"x\"," + field + "}"))
                .isInstanceOfSatisfying(
                        ProtocolException.class,
                        e -> assertThat(e.error().param()).isEqualTo(param));
    }

    @Test
    void samplingFieldsKeepTheirValuesAndTellUnsetOnesApart() {
        SamplingFields sent = RequestReader.completion("""
                        {"prompt":"x","temperature":0,"top_p":0.9,"top_k":-1,"min_p":0.1,"seed":-7,"max_tokens":12,
                         "frequency_penalty":-2,"presence_penalty":0.5,"repetition_penalty":1.1,"bad_words":"no",
                         "logit_bias":{"50256":-100,"7":1.5},"allowed_token_ids":[4],"include_stop_str_in_output":true,
                         "min_tokens":3,"stop":["a","b"],"stop_token_ids":[1,2],"ignore_eos":true,"stream":true,"priority":-1,"time_limit_ms":250,
                         "stream_options":{"include_usage":true},"user":"u","metadata":{"a":"b"},"no_such_field":[1]}
                        """).sampling();
        assertThat(sent)
                .isEqualTo(SamplingFields.builder()
                        .temperature(0)
                        .topP(0.9)
                        .topK(0)
                        .minP(0.1)
                        .frequencyPenalty(-2)
                        .presencePenalty(0.5)
                        .repetitionPenalty(1.1)
                        .logitBias(Map.of(50256, -100.0, 7, 1.5))
                        .badWords(List.of("no"))
                        .allowedTokenIds(List.of(4))
                        .seed(-7)
                        .maxTokens(12)
                        .minTokens(3)
                        .stop("a", "b")
                        .stopTokenIds(List.of(1, 2))
                        .includeStop(true)
                        .ignoreEos(true)
                        .priority(-1)
                        .timeLimitMillis(250)
                        .build());
        assertThat(RequestReader.completion("{\"prompt\":\"x\",\"stop\":null,\"temperature\":null}")
                        .sampling())
                .isEqualTo(SamplingFields.NONE);
    }

    @Test
    void chatJoinsTextPartsAndReadsDeveloperAsSystem() {
        ChatCompletionRequest request = RequestReader.chatCompletion("""
                {"model":"m","messages":[{"role":"developer","content":"Be brief."},
                 {"role":"user","content":[{"type":"text","text":"Hel"},{"type":"text","text":"lo"}]}],
                 "max_tokens":9,"max_completion_tokens":8}
                """);
        assertThat(request.messages())
                .containsExactly(new ChatMessage("system", "Be brief."), new ChatMessage("user", "Hello"));
        assertThat(request.sampling().maxTokens()).isEqualTo(8);
    }

    @Test
    void responseTakesStringOrMessagesAndPutsInstructionsFirst() {
        ResponseRequest request = RequestReader.response("""
                {"input":[{"role":"user","content":[{"type":"input_text","text":"Hi"}]},
                 {"type":"message","role":"assistant","content":[{"type":"output_text","text":"Ho","annotations":[]}]},
                 {"role":"user","content":"again"}],"instructions":"Sing.","max_output_tokens":5,
                 "metadata":{"k":"v"},"text":{"format":{"type":"text"}},"truncation":"disabled","tools":[],"store":true}
                """);
        assertThat(request.messages(List.of()))
                .containsExactly(
                        new ChatMessage("system", "Sing."),
                        new ChatMessage("user", "Hi"),
                        new ChatMessage("assistant", "Ho"),
                        new ChatMessage("user", "again"));
        assertThat(request.metadata()).isEqualTo(Map.of("k", "v"));
        assertThat(RequestReader.response("{\"input\":\"Hi\"}").messages(List.of(new ChatMessage("user", "Ho"))))
                .containsExactly(new ChatMessage("user", "Ho"), new ChatMessage("user", "Hi"));
    }

    @Test
    void clientEventsCarryLaneAndEventId() {
        assertThat(RequestReader.clientEvent(
                        "{\"type\":\"response.create\",\"event_id\":\"e\",\"stream_id\":\"a.1\",\"input\":\"Hi\"}"))
                .isEqualTo(new ClientEvent.Create(
                        "e",
                        "a.1",
                        new ResponseRequest(
                                null,
                                List.of(new ChatMessage("user", "Hi")),
                                null,
                                SamplingFields.NONE,
                                Tools.NONE,
                                false,
                                Map.of(),
                                null,
                                null,
                                true,
                                true)));
        assertThat(RequestReader.clientEvent("{\"type\":\"response.cancel\",\"response_id\":\"resp_1\"}"))
                .isEqualTo(new ClientEvent.Cancel(null, null, "resp_1"));
        assertThat(RequestReader.origin("{\"type\":\"x\",\"event_id\":\"e\",\"stream_id\":\"s\"}"))
                .isEqualTo(new RequestReader.Origin("e", "s"));
        assertThat(RequestReader.origin("[")).isEqualTo(RequestReader.Origin.UNKNOWN);
    }

    @Test
    void tokenizeTakesPromptOrMessages() {
        assertThat(RequestReader.tokenize("{\"prompt\":\"\"}").prompt()).isEmpty();
        assertThat(RequestReader.tokenize("{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}")
                        .messages())
                .containsExactly(new ChatMessage("user", "a"));
        assertThat(RequestReader.detokenize("{\"tokens\":[1,2]}").tokens()).containsExactly(1, 2);
        assertThat(error(RequestReader::tokenize, "{}").param()).isEqualTo("prompt");
        assertThat(error(RequestReader::detokenize, "{\"tokens\":[1,\"a\"]}").param())
                .isEqualTo("tokens[1]");
    }

    @Test
    void malformedJsonIsRefusedWithItsPosition() {
        ApiError error = error(RequestReader::completion, "{\"prompt\":\n \"a\",,}");
        assertThat(error.status()).isEqualTo(400);
        assertThat(error.code()).isEqualTo("invalid_json");
        assertThat(error.message()).contains("line 2, column 6").contains("send one JSON object");
        assertThat(error(RequestReader::completion, "").message()).contains("one JSON object");
        assertThat(error(RequestReader::completion, "[]").message()).contains("[] but must be one JSON object");
        assertThat(error(RequestReader::completion, "{} {}").code()).isEqualTo("invalid_json");
        assertThat(error(RequestReader::completion, "[".repeat(5000)).code()).isEqualTo("invalid_json");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    prompt           | 7                     | invalid_type
                    prompt           | ""                    | invalid_value
                    prompt           | []                    | invalid_value
                    prompt[1]        | ["a",5]               | invalid_type
                    prompt[1]        | ["a",""]              | invalid_value
                    prompt[1]        | [[1],[]]              | invalid_value
                    prompt[1][0]     | [[1],[-1]]            | integer_below_min_value
                    prompt[1]        | [1,-1]                | integer_below_min_value
                    prompt[0]        | [1.5]                 | invalid_type
                    model            | 1                     | invalid_type
                    temperature      | "hot"                 | invalid_type
                    temperature      | -0.1                  | decimal_below_min_value
                    temperature      | 2.1                   | decimal_above_max_value
                    temperature      | 1e999                 | decimal_above_max_value
                    top_p            | 0                     | decimal_below_min_value
                    top_p            | 1.01                  | decimal_above_max_value
                    top_k            | -2                    | integer_below_min_value
                    top_k            | 1.5                   | invalid_type
                    min_p            | 1                     | decimal_above_max_value
                    seed             | 99999999999999999999  | integer_above_max_value
                    seed             | "x"                   | invalid_type
                    max_tokens       | 0                     | integer_below_min_value
                    max_tokens       | 4294967296            | integer_above_max_value
                    max_tokens       | 1e30                  | integer_above_max_value
                    min_tokens       | -1                    | integer_below_min_value
                    stop             | 5                     | invalid_type
                    stop             | ["a","b","c","d","e"] | array_above_max_length
                    stop[0]          | [""]                  | invalid_value
                    stop[0]          | [5]                   | invalid_type
                    stop_token_ids   | 5                     | invalid_type
                    priority         | 4294967296            | integer_above_max_value
                    priority         | "high"                | invalid_type
                    time_limit_ms    | 0                     | integer_below_min_value
                    ignore_eos       | 1                     | invalid_type
                    stream           | "yes"                 | invalid_type
                    stream_options   | {}                    | invalid_value
                    n                | 0                     | integer_below_min_value
                    n                | 129                   | integer_above_max_value
                    best_of          | 129                   | integer_above_max_value
                    echo             | 1                     | invalid_type
                    suffix           | "x"                   | unsupported_parameter
                    logprobs         | true                  | invalid_type
                    logprobs         | 21                    | integer_above_max_value
                    top_logprobs     | 1                     | unsupported_parameter
                    logit_bias       | [5]                   | invalid_type
                    logit_bias.5     | {"5":"x"}             | invalid_type
                    logit_bias.5     | {"5":-100.5}          | decimal_below_min_value
                    logit_bias       | {"five":1}            | invalid_value
                    logit_bias       | {"-1":1}              | invalid_value
                    frequency_penalty | 2.1                  | decimal_above_max_value
                    presence_penalty | -2.1                  | decimal_below_min_value
                    repetition_penalty | 0                   | decimal_below_min_value
                    bad_words[1]     | ["a",""]              | invalid_value
                    allowed_token_ids | []                   | invalid_value
                    allowed_token_ids[0] | ["a"]             | invalid_type
                    include_stop_str_in_output | 1           | invalid_type
                    """)
    void badFieldOfACompletionIsRefusedByName(String param, String value, String code) {
        String field = param.replaceAll("[\\[.].*", "");
        String prompt = field.equals("prompt") ? "" : "\"prompt\":\"x\",";
        ApiError error = error(RequestReader::completion, "{" + prompt + "\"" + field + "\":" + value + "}");
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.code()).isEqualTo(code);
        assertThat(error.status()).isEqualTo(400);
        assertThat(error.message()).startsWith(param);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    messages                 | null                                  | missing_required_parameter
                    messages                 | "hi"                                  | invalid_type
                    messages                 | []                                    | invalid_value
                    messages[0]              | ["hi"]                                | invalid_type
                    messages[0].role         | [{"content":"a"}]                     | missing_required_parameter
                    messages[0].role         | [{"role":"function","content":"a"}]   | invalid_value
                    messages[0].tool_call_id | [{"role":"tool","content":"a"}]       | missing_required_parameter
                    messages[0].content      | [{"role":"user"}]                     | missing_required_parameter
                    messages[0].content      | [{"role":"user","content":5}]         | invalid_type
                    messages[0].content[0].type | [{"role":"user","content":[{"type":"image_url"}]}] | invalid_value
                    messages[0].function_call | [{"role":"assistant","function_call":{"name":"a"}}] | unsupported_parameter
                    messages[0].tool_calls   | [{"role":"assistant","tool_calls":{}}] | invalid_type
                    messages[0].tool_calls   | [{"role":"user","content":"a","tool_calls":[{"id":"c","function":{"name":"a","arguments":"{}"}}]}] | invalid_value
                    messages[0].content      | [{"role":"assistant","tool_calls":[]}] | missing_required_parameter
                    messages[0].tool_calls[0].function | [{"role":"assistant","tool_calls":[{"id":"c"}]}] | missing_required_parameter
                    messages[0].tool_calls[0].type | [{"role":"assistant","tool_calls":[{"id":"c","type":"custom"}]}] | invalid_value
                    messages[0].tool_calls[0].id | [{"role":"assistant","tool_calls":[{"function":{"name":"a","arguments":"{}"}}]}] | missing_required_parameter
                    messages[0].tool_calls[0].function.name | [{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a b","arguments":"{}"}}]}] | invalid_value
                    messages[0].tool_calls[0].function.arguments | [{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a","arguments":"{"}}]}] | invalid_value
                    messages[0].tool_calls[0].function.arguments | [{"role":"assistant","tool_calls":[{"id":"c","function":{"name":"a","arguments":{}}}]}] | invalid_type
                    """)
    void badMessageIsRefusedWithThePathToIt(String param, String value, String code) {
        ApiError error = error(RequestReader::chatCompletion, "{\"messages\":" + value + "}");
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.code()).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    background           | true
                    logprobs             | true
                    n                    | 2
                    truncation           | "auto"
                    """)
    void whatWouldChangeTheAnswerAndIsNotServedIsRefused(String field, String value) {
        ApiError error = error(RequestReader::response, "{\"input\":\"x\",\"" + field + "\":" + value + "}");
        assertThat(error.code()).isEqualTo("unsupported_parameter");
        assertThat(error.param()).isEqualTo(field);
        assertThat(error.message()).contains("leave it out");
    }

    @Test
    void valuesThatAskForWhatHappensAnywayAreAccepted() {
        assertThat(RequestReader.completion("""
                                {"prompt":"x","n":1,"best_of":1,"echo":false,"suffix":"","logit_bias":{},"logprobs":null,
                                 "frequency_penalty":0,"presence_penalty":0.0,"repetition_penalty":1.0}
                                """).prompts()).containsExactly(new Prompt.Text("x"));
        assertThat(RequestReader.chatCompletion("""
                                {"messages":[{"role":"user","content":"x"}],"tools":[],"tool_choice":"none",
                                 "response_format":{"type":"text"},"logprobs":false,"top_logprobs":0,"modalities":["text"]}
                                """).messages()).hasSize(1);
    }

    @Test
    void functionsAreReadInTheFormsOfBothApis() {
        String chat = """
                {"messages":[{"role":"user","content":"x"}],"parallel_tool_calls":false,CHOICE
                 "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}]}""";
        String response = """
                {"input":"x","parallel_tool_calls":false,CHOICE
                 "tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false}]}""";
        JsonSchema.Document object = new JsonSchema.Document(
                new JsonSchema.Entries(new JsonSchema.Any(), 0, JsonSchema.UNLIMITED), Map.of());
        for (Tools.Choice choice : Tools.Choice.values()) {
            boolean isHeld = choice == Tools.Choice.REQUIRED || choice == Tools.Choice.FUNCTION;
            boolean isFunction = choice == Tools.Choice.FUNCTION;
            String word = "\"tool_choice\":\"" + choice.name().toLowerCase(Locale.ROOT) + "\",";
            Tools expected = new Tools(
                    List.of(new FunctionTool("f", "d", "{\"type\":\"object\"}", false, isHeld ? object : null)),
                    choice,
                    isFunction ? "f" : null,
                    false);
            String nested = "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},";
            assertThat(RequestReader.chatCompletion(chat.replace("CHOICE", isFunction ? nested : word))
                            .tools())
                    .isEqualTo(expected);
            String flat = "\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},";
            assertThat(RequestReader.response(response.replace("CHOICE", isFunction ? flat : word))
                            .tools())
                    .isEqualTo(expected);
        }
    }

    @Test
    void callsBelongToWhatTheAssistantSaidBeforeThem() {
        ResponseRequest request = RequestReader.response("""
                {"input":[{"role":"user","content":"a"},
                 {"type":"function_call","call_id":"c1","name":"f","arguments":"{}","id":"fc_1","status":"completed"},
                 {"type":"function_call_output","call_id":"c1","output":"1"},
                 {"role":"assistant","content":"b"},
                 {"type":"function_call","call_id":"c2","name":"f","arguments":"{\\"n\\":1}"},
                 {"type":"function_call","call_id":"c3","name":"g","arguments":"{}"},
                 {"type":"function_call_output","call_id":"c3","output":[{"type":"input_text","text":"3"}]}]}""");
        assertThat(request.input())
                .containsExactly(
                        new ChatMessage("user", "a"),
                        ChatMessage.assistant("", List.of(new ToolCall("c1", "f", "{}"))),
                        ChatMessage.result("c1", "1"),
                        ChatMessage.assistant(
                                "b", List.of(new ToolCall("c2", "f", "{\"n\":1}"), new ToolCall("c3", "g", "{}"))),
                        ChatMessage.result("c3", "3"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    tools                | {}
                    tools[0]             | ["f"]
                    tools[0].type        | [{}]
                    tools[0].type        | [{"type":"web_search"}]
                    tools[0].name        | [{"type":"function"}]
                    tools[0].name        | [{"type":"function","name":"a b"}]
                    tools[0].name        | [{"type":"function","name":""}]
                    tools[1].name        | [{"type":"function","name":"a"},{"type":"function","name":"a"}]
                    tools[0].parameters  | [{"type":"function","name":"a","parameters":"{}"}]
                    tools[0].parameters  | [{"type":"function","name":"a","strict":true,"parameters":{"type":"string"}}]
                    tools[0].parameters.oneOf | [{"type":"function","name":"a","strict":true,"parameters":{"oneOf":[]}}]
                    tool_choice          | "required"
                    tool_choice          | "always"
                    tool_choice          | 5
                    tool_choice.type     | {"type":"allowed_tools"}
                    tool_choice.name     | {"type":"function","name":"f"}
                    """)
    void toolsThatCannotBeReadAreRefusedByName(String param, String value) {
        String field = param.replaceAll("[\\[.].*", "");
        ApiError error = error(RequestReader::response, "{\"input\":\"x\",\"" + field + "\":" + value + "}");
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.message()).startsWith(param);
        String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\","
                + "\"function\":{\"name\":\"f\"}}],";
        assertThat(error(RequestReader::chatCompletion, chat + "\"response_format\":{\"type\":\"json_object\"}}")
                        .param())
                .isEqualTo("response_format");
        assertThat(error(
                                RequestReader::chatCompletion,
                                chat + "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}}")
                        .message())
                .isEqualTo("tool_choice.function.name is \"g\" but must be that of a function in tools: f");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"name": "f", "arguments": {"a": [1, "}"]}}   | f | {"a": [1, "}"]}
                    {"arguments":{},"id":{"x":[]},"name":"f"}     | f | {}
                    {"name":"f","arguments":"{}"}                 |   |
                    {"name":"f"}                                  |   |
                    {"name":5,"arguments":{}}                     |   |
                    {"name":"f","arguments":{}} x                 |   |
                    {"name":"f","arguments":{}                    |   |
                    {"name":"f","arguments":{a:1}}                |   |
                    []                                            |   |
                    """)
    void callIsReadAsItWasWrittenOrNotAtAll(String json, @Nullable String name, @Nullable String arguments) {
        assertThat(ToolCall.read("c", json))
                .isEqualTo(
                        name == null || arguments == null
                                ? Optional.empty()
                                : Optional.of(new ToolCall("c", name, arguments)));
    }

    @Test
    void bestOfIsAtLeastNAndNotStreamedAndEchoComesWithoutLogprobs() {
        CompletionRequest request = RequestReader.completion("{\"prompt\":\"x\",\"n\":2,\"best_of\":5,\"echo\":true}");
        assertThat(request.n()).isEqualTo(2);
        assertThat(request.bestOf()).isEqualTo(5);
        assertThat(RequestReader.completion("{\"prompt\":\"x\",\"n\":3,\"stream\":true}")
                        .bestOf())
                .isEqualTo(3);
        assertThat(error(RequestReader::completion, "{\"prompt\":\"x\",\"n\":3,\"best_of\":2}")
                        .message())
                .isEqualTo("best_of is 2 but must be a number from n, which is 3, to 128");
        assertThat(error(RequestReader::completion, "{\"prompt\":\"x\",\"best_of\":2,\"stream\":true}")
                        .param())
                .isEqualTo("best_of");
        assertThat(error(RequestReader::completion, "{\"prompt\":\"x\",\"echo\":true,\"logprobs\":1}")
                        .param())
                .isEqualTo("echo");
    }

    @Test
    void eachApiAsksForLogprobsInItsOwnWay() {
        String chat = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],%s}";
        String response = "{\"input\":\"x\",\"include\":[%s],\"top_logprobs\":%d}";
        String included = "\"reasoning.encrypted_content\",\"message.output_text.logprobs\"";
        assertThat(RequestReader.completion("{\"prompt\":\"x\",\"logprobs\":0}")
                        .sampling()
                        .logprobs())
                .isZero();
        assertThat(RequestReader.completion("{\"prompt\":\"x\"}").sampling().logprobs())
                .isNull();
        assertThat(RequestReader.chatCompletion(chat.formatted("\"logprobs\":true"))
                        .sampling()
                        .logprobs())
                .isZero();
        assertThat(RequestReader.chatCompletion(chat.formatted("\"logprobs\":true,\"top_logprobs\":20"))
                        .sampling()
                        .logprobs())
                .isEqualTo(20);
        assertThat(RequestReader.response(response.formatted(included, 4))
                        .sampling()
                        .logprobs())
                .isEqualTo(4);
        assertThat(RequestReader.response(response.formatted("", 0)).sampling().logprobs())
                .isNull();
        assertThat(error(RequestReader::chatCompletion, chat.formatted("\"top_logprobs\":2"))
                        .message())
                .isEqualTo("top_logprobs is 2 but logprobs is not true; set it");
        assertThat(error(RequestReader::chatCompletion, chat.formatted("\"logprobs\":true,\"top_logprobs\":21"))
                        .message())
                .isEqualTo("top_logprobs is 21 but must be a number from 0 to 20");
        assertThat(error(RequestReader::response, response.formatted("", 1)).message())
                .isEqualTo("top_logprobs is 1 but include does not hold \"message.output_text.logprobs\"; add it");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    type      | {}                                                    | missing_required_parameter
                    type      | {"type":"response.pause"}                             | invalid_value
                    stream_id | {"type":"response.create","stream_id":"a b","input":"x"} | invalid_value
                    stream_id | {"type":"response.create","stream_id":"","input":"x"} | invalid_value
                    input     | {"type":"response.create"}                            | missing_required_parameter
                    """)
    void badClientEventIsRefusedByName(String param, String event, String code) {
        ApiError error = error(RequestReader::clientEvent, event);
        assertThat(error.param()).isEqualTo(param);
        assertThat(error.code()).isEqualTo(code);
    }

    @Test
    void longValuesAreCutInMessages() {
        ApiError error = error(RequestReader::completion, "{\"prompt\":{\"a\":\"" + "x".repeat(10_000) + "\"}}");
        assertThat(error.message()).hasSizeLessThan(200);
    }

    @Test
    void errorBodyHasTheShapeOfTheApi() {
        assertThat(ApiError.unknownModel("gpt-9", "weir").toJson())
                .isEqualTo(
                        "{\"error\":{\"message\":\"the model \\\"gpt-9\\\" is not served here; ask for \\\"weir\\\"\","
                                + "\"type\":\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\"}}");
    }

    private static int[] tokens(String json) {
        return RequestReader.completion(json).prompts().getFirst() instanceof Prompt.Tokens(int[] ids)
                ? ids
                : new int[0];
    }

    private static ApiError error(Function<String, ?> reader, String json) {
        ProtocolException thrown = catchThrowableOfType(
                ProtocolException.class, () -> assertThat(reader.apply(json)).isNull());
        assertThat(thrown).as("%s must be refused", json).isNotNull();
        return thrown.error();
    }
}
