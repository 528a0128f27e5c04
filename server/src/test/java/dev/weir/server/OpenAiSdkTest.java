package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.ResponseConnection;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.errors.NotFoundException;
import com.openai.errors.RateLimitException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.helpers.ResponseAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionStreamOptions;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.completions.Completion;
import com.openai.models.completions.CompletionCreateParams;
import com.openai.models.conversations.Conversation;
import com.openai.models.conversations.ConversationCreateParams;
import com.openai.models.conversations.Message;
import com.openai.models.conversations.items.ItemCreateParams;
import com.openai.models.conversations.items.ItemDeleteParams;
import com.openai.models.conversations.items.ItemListParams;
import com.openai.models.conversations.items.ItemRetrieveParams;
import com.openai.models.responses.EasyInputMessage;
import com.openai.models.responses.FunctionTool;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import com.openai.models.responses.ResponseFunctionToolCall;
import com.openai.models.responses.ResponseIncludable;
import com.openai.models.responses.ResponseInputItem;
import com.openai.models.responses.ResponseRetrieveParams;
import com.openai.models.responses.ResponseStatus;
import com.openai.models.responses.ResponseStreamEvent;
import com.openai.models.responses.ResponsesClientEvent;
import com.openai.models.responses.ResponsesServerEvent;
import com.openai.models.responses.ToolChoiceFunction;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The official SDK against the server, validating every object that it receives. */
final class OpenAiSdkTest {
    private static TestServer server;
    private static OpenAIClient client;

    @BeforeAll
    static void start() {
        server = TestServer.small();
        client = client(server);
    }

    private static OpenAIClient client(TestServer to) {
        return OpenAIOkHttpClient.builder()
                .baseUrl(to.server.url() + "/v1")
                .apiKey("unused")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @Test
    void listsTheModel() {
        assertThat(client.models().list().data())
                .singleElement()
                .satisfies(model -> assertThat(model.id()).isEqualTo(TestServer.MODEL));
        assertThat(client.models().retrieve(TestServer.MODEL).id()).isEqualTo(TestServer.MODEL);
    }

    @Test
    void completionStreamsTheTextThatItReturnsWhole() {
        CompletionCreateParams params = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt("To be")
                .temperature(0)
                .maxTokens(50)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        Completion whole = client.completions().create(params).validate();
        StringBuilder streamed = new StringBuilder();
        try (StreamResponse<Completion> stream = client.completions().createStreaming(params)) {
            // Not validated: the SDK's check knows no chunk without a finish_reason, though the API sends them.
            stream.stream().forEach(chunk -> chunk.choices().forEach(choice -> streamed.append(choice.text())));
        }
        assertThat(streamed.toString()).isEqualTo(whole.choices().getFirst().text());
        assertThat(whole.usage().orElseThrow().completionTokens()).isEqualTo(50);
    }

    @Test
    void chatStreamAddsUpToTheWholeAnswer() {
        ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .addSystemMessage("Be brief.")
                .addUserMessage("Hello")
                .temperature(0)
                .maxCompletionTokens(50)
                .streamOptions(
                        ChatCompletionStreamOptions.builder().includeUsage(true).build())
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(chunk -> accumulator.accumulate(chunk.validate()));
        }
        ChatCompletion whole = client.chat()
                .completions()
                .create(params.toBuilder()
                        .streamOptions((ChatCompletionStreamOptions) null)
                        .build())
                .validate();
        ChatCompletion streamed = accumulator.chatCompletion();
        assertThat(streamed.choices().getFirst().message().content())
                .isEqualTo(whole.choices().getFirst().message().content())
                .isPresent();
        assertThat(streamed.usage().orElseThrow().completionTokens()).isEqualTo(50);
        assertThat(whole.choices().getFirst().finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.LENGTH);
    }

    @Test
    void severalAnswersWithLogprobsAddUpToTheWholeOnes() {
        ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .addUserMessage("Hello")
                .temperature(1.5)
                .maxCompletionTokens(20)
                .n(2)
                .logprobs(true)
                .topLogprobs(4)
                .frequencyPenalty(0.5)
                .presencePenalty(-0.5)
                .putAdditionalBodyProperty("seed", JsonValue.from(3))
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        ChatCompletion whole = client.chat().completions().create(params).validate();
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(chunk -> accumulator.accumulate(chunk.validate()));
        }
        ChatCompletion streamed = accumulator.chatCompletion();
        assertThat(whole.choices()).hasSize(2);
        for (int i = 0; i < 2; i++) {
            ChatCompletion.Choice choice = whole.choices().get(i);
            assertThat(streamed.choices().get(i).message().content())
                    .isEqualTo(choice.message().content());
            assertThat(choice.logprobs().orElseThrow().content().orElseThrow())
                    .hasSize(20)
                    .allSatisfy(token -> assertThat(token.topLogprobs()).hasSize(4))
                    .isEqualTo(streamed.choices()
                            .get(i)
                            .logprobs()
                            .orElseThrow()
                            .content()
                            .orElseThrow());
        }
        Completion completion = client.completions()
                .create(CompletionCreateParams.builder()
                        .model(TestServer.MODEL)
                        .promptOfArrayOfStrings(List.of("one", "two"))
                        .maxTokens(9)
                        .logprobs(2)
                        .n(2)
                        .bestOf(3)
                        .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                        .build())
                .validate();
        assertThat(completion.choices())
                .hasSize(4)
                .allSatisfy(choice -> assertThat(
                                choice.logprobs().orElseThrow().tokens().orElseThrow())
                        .hasSize(9));
        Response response = client.responses()
                .create(ResponseCreateParams.builder()
                        .model(TestServer.MODEL)
                        .input("Hello")
                        .maxOutputTokens(9)
                        .addInclude(ResponseIncludable.MESSAGE_OUTPUT_TEXT_LOGPROBS)
                        .topLogprobs(2)
                        .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                        .build())
                .validate();
        assertThat(response.output()
                        .getFirst()
                        .asMessage()
                        .content()
                        .getFirst()
                        .asOutputText()
                        .logprobs()
                        .orElseThrow())
                .hasSize(9);
    }

    @Test
    void responseStreamAddsUpToTheWholeResponse() {
        ResponseCreateParams params = ResponseCreateParams.builder()
                .model(TestServer.MODEL)
                .instructions("Be brief.")
                .input("Hello")
                .temperature(0)
                .maxOutputTokens(50)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        Response whole = client.responses().create(params).validate();
        ResponseAccumulator accumulator = ResponseAccumulator.create();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params)) {
            stream.stream().forEach(event -> accumulator.accumulate(event.validate()));
        }
        Response streamed = accumulator.response();
        assertThat(text(streamed)).isEqualTo(text(whole)).isNotEmpty();
        assertThat(whole.status()).contains(ResponseStatus.INCOMPLETE);
        assertThat(whole.usage().orElseThrow().outputTokens()).isEqualTo(50);
        assertThat(streamed.usage()).isEqualTo(whole.usage());
    }

    @Test
    void storedResponseIsRetrievedResumedListedContinuedCancelledAndDeleted() {
        ResponseCreateParams params = ResponseCreateParams.builder()
                .model(TestServer.MODEL)
                .input("Hello")
                .temperature(0)
                .maxOutputTokens(20)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        Response whole = client.responses().create(params).validate();
        assertThat(client.responses().retrieve(whole.id()).validate()).isEqualTo(whole);
        assertThat(client.responses().cancel(whole.id()).validate()).isEqualTo(whole);
        try (StreamResponse<ResponseStreamEvent> stream = client.responses()
                .retrieveStreaming(
                        whole.id(),
                        ResponseRetrieveParams.builder().startingAfter(1).build())) {
            List<ResponseStreamEvent> events =
                    stream.stream().map(ResponseStreamEvent::validate).toList();
            assertThat(events.getFirst().isOutputItemAdded()).isTrue();
            assertThat(events.getLast().asIncomplete().response()).isEqualTo(whole);
        }
        assertThat(client.responses().inputItems().list(whole.id()).items())
                .singleElement()
                .satisfies(item -> assertThat(item.validate()
                                .asResponseInputMessageItem()
                                .content()
                                .getFirst()
                                .asInputText()
                                .text())
                        .isEqualTo("Hello"));
        Response next = client.responses()
                .create(params.toBuilder().previousResponseId(whole.id()).build())
                .validate();
        assertThat(next.previousResponseId()).contains(whole.id());
        client.responses().delete(whole.id());
        assertThatThrownBy(() -> client.responses().retrieve(whole.id()))
                .isInstanceOfSatisfying(
                        NotFoundException.class, e -> assertThat(e.code()).contains("response_not_found"));
    }

    private static final Map<String, JsonValue> CITY = Map.of(
            "type",
            JsonValue.from("object"),
            "properties",
            JsonValue.from(Map.of("city", Map.of("type", "string", "maxLength", 8))),
            "required",
            JsonValue.from(List.of("city")));

    @Test
    void conversationIsBegunGoneOnFromListedChangedAndDeleted() {
        Conversation begun = client.conversations()
                .create(ConversationCreateParams.builder()
                        .metadata(ConversationCreateParams.Metadata.builder()
                                .putAdditionalProperty("topic", JsonValue.from("rain"))
                                .build())
                        .build())
                .validate();
        ResponseCreateParams params = ResponseCreateParams.builder()
                .model(TestServer.MODEL)
                .input("Hello")
                .conversation(begun.id())
                .temperature(0)
                .maxOutputTokens(20)
                .putAdditionalBodyProperty("ignore_eos", JsonValue.from(true))
                .build();
        Response first = client.responses().create(params).validate();
        assertThat(first.conversation().orElseThrow().id()).isEqualTo(begun.id());
        Response second;
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params)) {
            second = stream.stream()
                    .map(ResponseStreamEvent::validate)
                    .reduce((_, last) -> last)
                    .orElseThrow()
                    .asIncomplete()
                    .response();
        }
        List<String> texts = client
                .conversations()
                .items()
                .list(ItemListParams.builder()
                        .conversationId(begun.id())
                        .order(ItemListParams.Order.ASC)
                        .limit(1) // so that it asks for further pages by itself
                        .build())
                .autoPager()
                .stream()
                .map(item -> text(item.validate().asMessage()))
                .toList();
        assertThat(texts).containsExactly("Hello", text(first), "Hello", text(second));
        String added = client.conversations()
                .items()
                .create(ItemCreateParams.builder()
                        .conversationId(begun.id())
                        .addItem(EasyInputMessage.builder()
                                .role(EasyInputMessage.Role.USER)
                                .content("More.")
                                .build())
                        .build())
                .validate()
                .data()
                .getFirst()
                .asMessage()
                .id();
        ItemRetrieveParams named =
                ItemRetrieveParams.builder().conversationId(begun.id()).build();
        assertThat(text(client.conversations()
                        .items()
                        .retrieve(added, named)
                        .validate()
                        .asMessage()))
                .isEqualTo("More.");
        client.conversations()
                .items()
                .delete(
                        added,
                        ItemDeleteParams.builder().conversationId(begun.id()).build())
                .validate();
        assertThatThrownBy(() -> client.conversations().items().retrieve(added, named))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining(added);
        assertThat(client.conversations().retrieve(begun.id()).validate()).isEqualTo(begun);
        assertThat(client.conversations().delete(begun.id()).validate().deleted())
                .isTrue();
        assertThatThrownBy(() -> client.conversations().retrieve(begun.id())).isInstanceOf(NotFoundException.class);
    }

    private static String text(Message message) {
        Message.Content content = message.content().getFirst();
        return content.isInputText()
                ? content.asInputText().text()
                : content.asOutputText().text();
    }

    @Test
    void chatCallsAFunctionAndGoesOnWithItsResult() {
        ChatCompletionCreateParams params = ChatCompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .addUserMessage("Rain?")
                .addFunctionTool(FunctionDefinition.builder()
                        .name("get_weather")
                        .description("Gets the weather of a city.")
                        .parameters(FunctionParameters.builder()
                                .additionalProperties(CITY)
                                .build())
                        .build())
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .parallelToolCalls(false)
                .temperature(0)
                .build();
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(chunk -> accumulator.accumulate(chunk.validate()));
        }
        ChatCompletion.Choice whole =
                client.chat().completions().create(params).validate().choices().getFirst();
        ChatCompletion.Choice streamed = accumulator.chatCompletion().choices().getFirst();
        assertThat(whole.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        assertThat(whole.message().content()).isEmpty();
        ChatCompletionMessageFunctionToolCall call =
                whole.message().toolCalls().orElseThrow().getFirst().asFunction();
        assertThat(call.function().name()).isEqualTo("get_weather");
        assertThat(call.function().arguments()).startsWith("{\"city\":").endsWith("\"}");
        assertThat(streamed.finishReason()).isEqualTo(whole.finishReason());
        assertThat(streamed.message().toolCalls().orElseThrow())
                .singleElement()
                .satisfies(other -> assertThat(other.asFunction().function()).isEqualTo(call.function()));
        ChatCompletion answer = client.chat()
                .completions()
                .create(params.toBuilder()
                        .addMessage(whole.message())
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(call.id())
                                .content("no")
                                .build())
                        .toolChoice(ChatCompletionToolChoiceOption.Auto.NONE)
                        .maxCompletionTokens(20)
                        .build())
                .validate();
        assertThat(answer.choices().getFirst().message().content()).isPresent();
    }

    @Test
    void responseCallsAFunctionAndGoesOnWithItsResult() {
        ResponseCreateParams params = ResponseCreateParams.builder()
                .model(TestServer.MODEL)
                .input("Rain?")
                .addTool(FunctionTool.builder()
                        .name("get_weather")
                        .parameters(FunctionTool.Parameters.builder()
                                .additionalProperties(CITY)
                                .build())
                        .strict(true)
                        .build())
                .toolChoice(ToolChoiceFunction.builder().name("get_weather").build())
                .temperature(0)
                .build();
        ResponseAccumulator accumulator = ResponseAccumulator.create();
        try (StreamResponse<ResponseStreamEvent> stream = client.responses().createStreaming(params)) {
            stream.stream().forEach(event -> accumulator.accumulate(event.validate()));
        }
        Response whole = client.responses().create(params).validate();
        assertThat(whole.tools().getFirst().asFunction().strict()).contains(true);
        ResponseFunctionToolCall call = whole.output().getFirst().asFunctionCall();
        assertThat(call.arguments()).startsWith("{\"city\":").endsWith("\"}");
        Response streamed = accumulator.response();
        assertThat(streamed.output())
                .singleElement()
                .satisfies(item -> assertThat(item.asFunctionCall().arguments()).isEqualTo(call.arguments()));
        Response answer = client.responses()
                .create(ResponseCreateParams.builder()
                        .model(TestServer.MODEL)
                        .previousResponseId(whole.id())
                        .inputOfResponse(List.of(
                                ResponseInputItem.ofFunctionCallOutput(ResponseInputItem.FunctionCallOutput.builder()
                                        .callId(call.callId())
                                        .output("no")
                                        .build())))
                        .maxOutputTokens(20)
                        .build())
                .validate();
        assertThat(text(answer)).isNotEmpty();
        assertThat(client.responses().inputItems().list(answer.id()).items())
                .singleElement()
                .satisfies(item -> assertThat(
                                item.validate().asFunctionCallOutput().callId())
                        .isEqualTo(Optional.of(call.callId())));
    }

    @Test
    void webSocketCarriesSeveralResponsesAtOnce() {
        try (ResponseConnection connection = client.responses().connect()) {
            List<ResponseConnection.Lane> lanes =
                    List.of(connection.lane("one"), connection.lane("two"), connection.lane("three"));
            server.model.hold();
            for (int i = 0; i < lanes.size(); i++) {
                lanes.get(i).send(create("Hello " + i));
                // The SDK refuses to queue a second command, so wait until this one has arrived.
                assertThat(lanes.get(i).receive().validate().isResponseCreated())
                        .isTrue();
            }
            server.model.release();
            for (int i = 0; i < lanes.size(); i++) {
                Response whole = client.responses()
                        .create(ResponseCreateParams.builder()
                                .model(TestServer.MODEL)
                                .input("Hello " + i)
                                .temperature(0)
                                .maxOutputTokens(40)
                                .build());
                assertThat(text(lanes.get(i).finalResponse().validate())).isEqualTo(text(whole));
            }
            connection.send(create("Hello 0"));
            ResponsesServerEvent first = connection.receive().validate();
            assertThat(first.isResponseCreated()).isTrue();
            assertThat(first.streamId()).isEmpty();
        }
        server.awaitIdle();
    }

    @Test
    void errorsArriveAsTheSdksOwnExceptions() {
        CompletionCreateParams.Builder good = CompletionCreateParams.builder()
                .model(TestServer.MODEL)
                .prompt("x")
                .maxTokens(4);
        assertThatThrownBy(() -> client.completions().create(good.model("gpt-9").build()))
                .isInstanceOfSatisfying(
                        NotFoundException.class, e -> assertThat(e.code()).contains("model_not_found"));
        assertThatThrownBy(() -> client.completions()
                        .create(good.model(TestServer.MODEL).maxTokens(1000).build()))
                .isInstanceOfSatisfying(BadRequestException.class, e -> {
                    assertThat(e.code()).contains("context_length_exceeded");
                    assertThat(e.param()).contains("prompt");
                });
        try (TestServer tiny = new TestServer(TestServer.Size.SMALL.withSlots(1, 0))) {
            OpenAIClient other = client(tiny);
            tiny.model.hold();
            TestSocket busy = tiny.socket();
            busy.create(null, "busy", dev.weir.protocol.SamplingFields.NONE);
            busy.next();
            assertThatThrownBy(
                            () -> other.completions().create(good.maxTokens(4).build()))
                    .isInstanceOfSatisfying(RateLimitException.class, e -> {
                        assertThat(e.code()).contains("overloaded");
                        assertThat(e.headers().values("Retry-After")).isNotEmpty();
                    });
            other.close();
        }
    }

    private static ResponsesClientEvent create(String input) {
        return ResponsesClientEvent.ofResponseCreate(ResponsesClientEvent.ResponseCreate.builder()
                .model(TestServer.MODEL)
                .input(input)
                .temperature(0)
                .maxOutputTokens(40)
                .build());
    }

    private static String text(Response response) {
        StringBuilder text = new StringBuilder();
        response.output()
                .forEach(item -> item.asMessage()
                        .content()
                        .forEach(part -> text.append(part.asOutputText().text())));
        return text.toString();
    }
}
