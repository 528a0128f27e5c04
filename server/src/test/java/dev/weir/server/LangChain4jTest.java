package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.langchain4j.model.output.FinishReason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** LangChain4j's OpenAI client against the server. */
@Timeout(60)
class LangChain4jTest {
    private static final ToolSpecification WEATHER = ToolSpecification.builder()
            .name("get_weather")
            .description("Gets the weather of a city.")
            .parameters(JsonObjectSchema.builder()
                    .addEnumProperty("city", List.of("Rome", "Oslo"))
                    .required("city")
                    .build())
            .build();

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.small();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static OpenAiChatModel model(int maxTokens) {
        return OpenAiChatModel.builder()
                .baseUrl(server.server.url() + "/v1")
                .apiKey("unused")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .maxTokens(maxTokens)
                .customParameters(Map.of("ignore_eos", true))
                .timeout(Duration.ofSeconds(30))
                .maxRetries(0)
                .build();
    }

    private static OpenAiStreamingChatModel streaming(int maxTokens) {
        return OpenAiStreamingChatModel.builder()
                .baseUrl(server.server.url() + "/v1")
                .apiKey("unused")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .maxTokens(maxTokens)
                .customParameters(Map.of("ignore_eos", true))
                .timeout(Duration.ofSeconds(30))
                .build();
    }

    private static ChatRequest hello() {
        return ChatRequest.builder().messages(UserMessage.from("Hello")).build();
    }

    /** Collects a stream, which it cancels after so many pieces if that is above 0. */
    private static final class Collector implements StreamingChatResponseHandler {
        private final StringBuilder text = new StringBuilder();
        private final CompletableFuture<ChatResponse> whole = new CompletableFuture<>();
        private final CompletableFuture<Void> cancelled = new CompletableFuture<>();
        private final int cancelAfter;
        private int pieces;

        Collector(int cancelAfter) {
            this.cancelAfter = cancelAfter;
        }

        @Override
        public void onPartialResponse(PartialResponse partial, PartialResponseContext context) {
            text.append(partial.text());
            if (++pieces == cancelAfter) {
                context.streamingHandle().cancel();
                cancelled.complete(null);
            }
        }

        @Override
        public void onCompleteResponse(ChatResponse response) {
            whole.complete(response);
        }

        @Override
        public void onError(Throwable error) {
            whole.completeExceptionally(error);
        }
    }

    @Test
    void aStreamedChatIsTheWholeOne() {
        ChatResponse whole = model(40).chat(hello());
        assertThat(whole.metadata().finishReason()).isEqualTo(FinishReason.LENGTH);
        assertThat(whole.metadata().tokenUsage().outputTokenCount()).isEqualTo(40);

        Collector collector = new Collector(0);
        streaming(40).chat(hello(), collector);
        ChatResponse streamed = collector.whole.orTimeout(30, TimeUnit.SECONDS).join();
        assertThat(collector.text.toString()).isEqualTo(whole.aiMessage().text());
        assertThat(streamed.aiMessage().text()).isEqualTo(whole.aiMessage().text());
        assertThat(streamed.metadata().tokenUsage().outputTokenCount()).isEqualTo(40);
    }

    @Test
    void aToolIsCalledAndItsResultIsTaken() {
        ChatRequest request = ChatRequest.builder()
                .messages(UserMessage.from("How is the weather?"))
                .toolSpecifications(WEATHER)
                .toolChoice(ToolChoice.REQUIRED)
                .build();
        OpenAiChatModel model = OpenAiChatModel.builder()
                .baseUrl(server.server.url() + "/v1")
                .apiKey("unused")
                .modelName(TestServer.MODEL)
                .temperature(0.0)
                .maxTokens(200)
                .parallelToolCalls(false)
                .maxRetries(0)
                .build();
        ChatResponse called = model.chat(request);
        assertThat(called.metadata().finishReason()).isEqualTo(FinishReason.TOOL_EXECUTION);
        ToolExecutionRequest call = called.aiMessage().toolExecutionRequests().getFirst();
        assertThat(call.name()).isEqualTo("get_weather");
        assertThat(call.arguments()).matches("\\{\"city\": ?\"(Rome|Oslo)\"}");

        ChatResponse answer = model(8).chat(ChatRequest.builder()
                .messages(
                        UserMessage.from("How is the weather?"),
                        called.aiMessage(),
                        ToolExecutionResultMessage.from(call, "{\"sun\": true}"))
                .build());
        assertThat(answer.metadata().tokenUsage().outputTokenCount()).isEqualTo(8);
    }

    @Test
    void aStreamThatIsCancelledFreesItsSlot() {
        Collector collector = new Collector(1);
        streaming(400).chat(hello(), collector);
        collector.cancelled.orTimeout(30, TimeUnit.SECONDS).join();
        server.awaitIdle();
    }

    @Test
    void aRefusalIsAnInvalidRequestThatNamesTheField() {
        OpenAiChatModel hot = OpenAiChatModel.builder()
                .baseUrl(server.server.url() + "/v1")
                .apiKey("unused")
                .modelName(TestServer.MODEL)
                .temperature(7.0)
                .maxRetries(0)
                .build();
        assertThatThrownBy(() -> hot.chat(hello()))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("temperature");
    }
}
