package dev.weir.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What one side writes, the other reads back as it was. */
final class RoundTripTest {
    private static final String AWKWARD = "\"quoted\" \\ \n\t\u0000 caf\u00e9 \uD83D\uDE00 </script>";
    private static final List<TokenLogprob> LOGPROBS = List.of(
            new TokenLogprob(
                    "caf\u00e9",
                    -0.5,
                    List.of(99, 97, 102, 0xc3, 0xa9),
                    0,
                    List.of(
                            new TokenLogprob("caf\u00e9", -0.5, List.of(99, 97, 102, 0xc3, 0xa9), 0, List.of()),
                            new TokenLogprob("\\xc3", -2, List.of(0xc3), 0, List.of()))),
            new TokenLogprob(AWKWARD, -9999, List.of(), 0, List.of()));

    /** Without bytes, as deltas have them. */
    private static final List<TokenLogprob> BARE_LOGPROBS = List.of(
            new TokenLogprob("a", -0.25, List.of(), 0, List.of(new TokenLogprob("b", -1, List.of(), 0, List.of()))));

    private static final Tools TOOLS = new Tools(
            List.of(
                    new FunctionTool(
                            "get_weather",
                            AWKWARD,
                            "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}",
                            true,
                            new JsonSchema.Document(
                                    new JsonSchema.Members(List.of(
                                            new JsonSchema.Member("\"n\"", new JsonSchema.Whole(null, null), false))),
                                    Map.of())),
                    new FunctionTool("now", null, null, false, null)),
            Tools.Choice.FUNCTION,
            "get_weather",
            false);
    private static final ToolCall CALL = new ToolCall("call_1", "get_weather", "{\"n\": 5, \"m\":[\"\\u0041]}\"]}");

    private static final ResponseObject BEGUN = ResponseObject.inProgress(
            "resp_1",
            1_700_000_000,
            "m",
            new ResponseObject.Settings(
                    "Sing.", 16, 0.5, 0.9, Map.of("k", AWKWARD), TOOLS, null, "resp_0", "conv_1", true));
    private static final OutputMessage ITEM = new OutputMessage("msg_1", ResponseStatus.COMPLETED, AWKWARD, LOGPROBS);

    static Stream<ServerEvent> events() {
        return Stream.of(
                new ServerEvent.Created(BEGUN),
                new ServerEvent.InProgress(BEGUN),
                new ServerEvent.OutputItemAdded(
                        0, new OutputMessage("msg_1", ResponseStatus.IN_PROGRESS, "", List.of())),
                new ServerEvent.ContentPartAdded("msg_1", 2),
                new ServerEvent.OutputTextDelta("msg_1", 2, AWKWARD, BARE_LOGPROBS),
                new ServerEvent.OutputTextDone("msg_1", 2, AWKWARD, BARE_LOGPROBS),
                new ServerEvent.ContentPartDone("msg_1", 2, AWKWARD, LOGPROBS),
                new ServerEvent.OutputItemDone(0, ITEM),
                new ServerEvent.OutputItemAdded(1, new FunctionCall("fc_1", ResponseStatus.IN_PROGRESS, CALL)),
                new ServerEvent.CallArgumentsDelta("fc_1", 1, AWKWARD),
                new ServerEvent.CallArgumentsDone("fc_1", 1, "get_weather", CALL.arguments()),
                new ServerEvent.OutputItemDone(1, new FunctionCall("fc_1", ResponseStatus.INCOMPLETE, CALL)),
                new ServerEvent.Completed(BEGUN.ended(
                        ResponseStatus.COMPLETED,
                        List.of(ITEM, new FunctionCall("fc_1", ResponseStatus.COMPLETED, CALL), ITEM),
                        new Usage(3, 4),
                        null)),
                new ServerEvent.Completed(BEGUN.ended(ResponseStatus.COMPLETED, List.of(ITEM), new Usage(3, 4), null)),
                new ServerEvent.Incomplete(
                        BEGUN.ended(ResponseStatus.INCOMPLETE, List.of(ITEM), new Usage(3, 4, 2), "max_output_tokens")),
                new ServerEvent.Incomplete(BEGUN.ended(ResponseStatus.CANCELLED, List.of(ITEM), new Usage(3, 4), null)),
                new ServerEvent.Failed(BEGUN.failed(new ApiError(500, "server_error", null, null, "broken"))),
                new ServerEvent.SteerFailed("resp_1", "[{\"role\":\"user\"}]", "steering_not_supported", AWKWARD),
                new ServerEvent.Completed(BEGUN.ended(ResponseStatus.COMPLETED, List.of(), new Usage(3, 0), null)),
                new ServerEvent.Refused(ApiError.overloaded("later"), "e1", 3L),
                new ServerEvent.Refused(ApiError.invalid("invalid_type", "input", "bad"), null, null));
    }

    @ParameterizedTest
    @MethodSource("events")
    void eventIsReadBackAsItWasWritten(ServerEvent event) {
        EventWriter writer = new EventWriter();
        writer.next(new ServerEvent.ContentPartAdded("msg_0", 0));
        EventReader.Received received = EventReader.read(EventWriter.inLane(writer.next(event), "lane-1"));
        assertThat(received.event()).isEqualTo(event);
        assertThat(received.streamId()).isEqualTo("lane-1");
        assertThat(received.sequenceNumber()).isEqualTo(event instanceof ServerEvent.Refused ? -1 : 1);
        assertThat(EventReader.read(EventWriter.inLane(new EventWriter().next(event), null))
                        .streamId())
                .isNull();
    }

    @Test
    void anErrorThatBreaksAStreamOffIsReadLikeAnyOther() {
        ApiError error = ApiError.refused(408, "slow_consumer", AWKWARD);
        assertThat(EventReader.read(EventWriter.brokenOff(error, 7)))
                .isEqualTo(new EventReader.Received(new ServerEvent.Refused(error, null, null), 7, null));
    }

    @Test
    void everyOutputFormatSurvives() {
        for (String asked : List.of(
                "{\"json_object\":true}",
                "{\"json\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}}",
                "{\"choice\":[\"yes\",\"no\"]}",
                "{\"regex\":\"a|b\"}")) {
            CompletionRequest request =
                    RequestReader.completion("{\"prompt\":\"x\",\"structured_outputs\":" + asked + "}");
            assertThat(request.sampling().format()).isNotNull();
            assertThat(RequestReader.completion(RequestWriter.completion(request)))
                    .isEqualTo(request);
        }
    }

    @Test
    void unknownEventIsKeptByName() {
        assertThat(EventReader.read("{\"type\":\"response.sung\",\"sequence_number\":4}"))
                .isEqualTo(new EventReader.Received(new ServerEvent.Unknown("response.sung"), 4, null));
    }

    @Test
    void requestIsReadBackAsItWasWritten() {
        SamplingFields sampling = SamplingFields.builder()
                .temperature(0.5)
                .topP(0.25)
                .topK(40)
                .minP(0.125)
                .frequencyPenalty(-1.5)
                .presencePenalty(0.75)
                .repetitionPenalty(1.25)
                .logitBias(Map.of(5, -100.0, 70000, 0.5))
                .badWords(List.of("never", AWKWARD))
                .allowedTokenIds(List.of(5, 6))
                .seed(5)
                .maxTokens(7)
                .minTokens(2)
                .priority(-3)
                .timeLimitMillis(500)
                .stop("\n\n", AWKWARD)
                .stopTokenIds(List.of(3))
                .includeStop(true)
                .logprobs(3)
                .ignoreEos(true)
                .format(new OutputFormat.Regex("structured_outputs.regex", "[a-z]+" + AWKWARD))
                .build();
        CompletionRequest completion = new CompletionRequest("m", new Prompt.Text(AWKWARD), sampling, true, true);
        assertThat(RequestReader.completion(RequestWriter.completion(completion)))
                .isEqualTo(completion);
        CompletionRequest several = new CompletionRequest(
                "m",
                List.of(new Prompt.Text("a"), new Prompt.Text(AWKWARD)),
                sampling.toBuilder().logprobs(null).build(),
                2,
                3,
                true,
                false,
                false);
        assertThat(RequestReader.completion(RequestWriter.completion(several))).isEqualTo(several);
        ChatCompletionRequest choices = new ChatCompletionRequest(
                null, List.of(new ChatMessage("user", "x")), sampling, Tools.NONE, 128, true, false);
        assertThat(RequestReader.chatCompletion(RequestWriter.chatCompletion(choices)))
                .isEqualTo(choices);
        List<ChatMessage> messages = List.of(new ChatMessage("system", "s"), new ChatMessage("user", AWKWARD));
        ChatCompletionRequest chat = new ChatCompletionRequest(null, messages, sampling, false, false);
        assertThat(RequestReader.chatCompletion(RequestWriter.chatCompletion(chat)))
                .isEqualTo(chat);
        ResponseRequest response = new ResponseRequest(
                "m",
                messages,
                "i",
                sampling,
                Tools.NONE,
                true,
                Map.of("a", "b", "c", AWKWARD),
                "resp_0",
                null,
                false,
                false);
        assertThat(RequestReader.response(RequestWriter.response(response))).isEqualTo(response);
        ClientEvent cancel = new ClientEvent.Cancel("e", "s", "resp_1");
        assertThat(RequestReader.clientEvent(RequestWriter.clientEvent(cancel))).isEqualTo(cancel);
        ClientEvent steer = new ClientEvent.Steer("e", "s", "resp_1", "\"more\"");
        assertThat(RequestReader.clientEvent(RequestWriter.clientEvent(steer))).isEqualTo(steer);
        ClientEvent resume = new ClientEvent.Resume("e", "s", "resp_1", 17);
        assertThat(RequestReader.clientEvent(RequestWriter.clientEvent(resume))).isEqualTo(resume);
    }

    @Test
    void toolsAndCallsAreReadBackAsTheyWereWritten() {
        List<ChatMessage> messages = List.of(
                new ChatMessage("user", AWKWARD),
                ChatMessage.assistant("Let me see.", List.of(CALL, new ToolCall("call_2", "now", "{}"))),
                ChatMessage.result("call_1", AWKWARD),
                ChatMessage.result("call_2", ""),
                ChatMessage.assistant("", List.of(CALL)));
        for (Tools tools : List.of(TOOLS, Tools.NONE, new Tools(List.of(), Tools.Choice.NONE, null, false))) {
            ChatCompletionRequest chat =
                    new ChatCompletionRequest(null, messages, SamplingFields.NONE, tools, 2, true, false);
            assertThat(RequestReader.chatCompletion(RequestWriter.chatCompletion(chat)))
                    .isEqualTo(chat);
            ResponseRequest response = new ResponseRequest(
                    null, messages, null, SamplingFields.NONE, tools, true, Map.of(), null, "conv_1", true, true);
            assertThat(RequestReader.response(RequestWriter.response(response))).isEqualTo(response);
        }
    }

    @Test
    void conversationsAreReadBackAsTheyWereWritten() {
        ConversationObject conversation = new ConversationObject("conv_1", 7, Map.of("k", AWKWARD));
        assertThat(ConversationJson.readConversation(ConversationJson.write(conversation)))
                .isEqualTo(conversation);
        ToolCall call = new ToolCall("c", "f", "{}");
        List<ChatMessage> messages = List.of(
                new ChatMessage("system", ""),
                new ChatMessage("user", AWKWARD),
                ChatMessage.assistant("", List.of(call, call)),
                ChatMessage.result("c", AWKWARD),
                ChatMessage.assistant(AWKWARD, List.of(call)),
                ChatMessage.result("c", ""));
        List<ConversationItem> items = ConversationItem.of(messages, (prefix, place) -> prefix + "_" + place);
        assertThat(items)
                .extracting(ConversationItem::id)
                .containsExactly("msg_0", "msg_1", "fc_2", "fc_3", "fco_4", "msg_5", "fc_6", "fco_7");
        for (ConversationItem item : items) {
            assertThat(ConversationJson.readItem(ConversationJson.write(item))).isEqualTo(item);
        }
        assertThat(ConversationItem.messages(items)).isEqualTo(messages);
        assertThat(ConversationJson.readMessages(ConversationJson.write(messages)))
                .isEqualTo(messages);
    }

    @Test
    void streamedChunksAddUpToTheWholeReply() {
        for (ChunkWriter.Kind kind : ChunkWriter.Kind.values()) {
            ChunkWriter writer = new ChunkWriter(kind, "id\"1", 5, "m", true);
            String text = Stream.of(
                            writer.text(0, "To ", List.of()),
                            writer.text(0, AWKWARD, LOGPROBS),
                            writer.finish(0, "stop"))
                    .map(json -> Chunk.read(json).text())
                    .reduce("", String::concat);
            Chunk whole = Chunk.read(writer.whole(
                    List.of(new ChunkWriter.Choice("To " + AWKWARD, List.of(), LOGPROBS, "stop")), new Usage(9, 2, 8)));
            assertThat(whole).isEqualTo(new Chunk(text, "stop", new Usage(9, 2, 8), null));
            assertThat(Chunk.read(writer.role(7))).isEqualTo(new Chunk("", null, null, null));
            assertThat(Chunk.read(writer.usage(new Usage(1, 2))).usage()).isEqualTo(new Usage(1, 2));
            assertThat(writer.text(3, "a", List.of())).endsWith(",\"usage\":null}");
        }
    }

    @Test
    void errorBodyIsReadAsAnError() {
        ApiError error = new ApiError(0, "t", "c", "p", "m");
        assertThat(Chunk.read(error.toJson()).error()).isEqualTo(error);
    }
}
