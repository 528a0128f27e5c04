package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.errors.BadRequestException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.openai.OpenAiChatModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.function.FunctionToolCallback;
import reactor.core.Disposable;

/** Spring AI's chat client against the server, over its module for OpenAI's API. */
@Timeout(60)
class SpringAiTest {
    private static final String CALL = """
            <tool_call>
            {"name": "get_weather", "arguments": {"city": "Oslo"}}
            </tool_call>""";

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

    /** What the function is asked for. */
    private record Place(String city) {}

    private static OpenAiChatOptions.Builder options(int maxTokens) {
        return OpenAiChatOptions.builder()
                .apiKey("unused")
                .model(TestServer.MODEL)
                .temperature(0.0)
                .maxTokens(maxTokens)
                .streamUsage(true)
                .extraBody(Map.of("ignore_eos", true))
                .timeout(Duration.ofSeconds(30))
                .maxRetries(0);
    }

    private static ChatClient client(OpenAiChatOptions.Builder options) {
        return ChatClient.create(model(server, options));
    }

    private static OpenAiChatModel model(TestServer to, OpenAiChatOptions.Builder options) {
        return OpenAiChatModel.builder()
                .options(options.baseUrl(to.server.url() + "/v1").build())
                .build();
    }

    @Test
    void aStreamedChatIsTheWholeOne() {
        ChatClient client = client(options(40));
        ChatResponse whole = Objects.requireNonNull(
                client.prompt().system("Be brief.").user("Hello").call().chatResponse());
        assertThat(whole.getResult().getMetadata().getFinishReason()).isEqualToIgnoringCase("length");
        assertThat(whole.getMetadata().getUsage().getCompletionTokens()).isEqualTo(40);
        assertThat(whole.getMetadata().getModel()).isEqualTo(TestServer.MODEL);

        List<ChatResponse> pieces = Objects.requireNonNull(client.prompt().system("Be brief.").user("Hello").stream()
                .chatResponse()
                .collectList()
                .block());
        StringBuilder text = new StringBuilder();
        for (ChatResponse piece : pieces) {
            if (piece.getResult() != null && piece.getResult().getOutput().getText() != null) {
                text.append(piece.getResult().getOutput().getText());
            }
        }
        assertThat(text).hasToString(whole.getResult().getOutput().getText());
        assertThat(pieces)
                .extracting(piece -> piece.getMetadata().getUsage().getCompletionTokens())
                .contains(40);
    }

    /** Asks for the weather, which is so; the model calls the function, then goes on freely. */
    private static String weather(String weather, boolean isStreamed) {
        List<String> cities = new ArrayList<>();
        server.model.script = CALL;
        FunctionToolCallback<Place, String> function = FunctionToolCallback.builder("get_weather", (Place place) -> {
                    cities.add(place.city());
                    server.model.script = null;
                    return weather;
                })
                .description("Gets the weather of a city.")
                .inputType(Place.class)
                .build();
        ChatClient.ChatClientRequestSpec asked = client(options(200).extraBody(Map.of()))
                .prompt()
                .user("How is the weather in Oslo?")
                .tools(function);
        String answer = isStreamed
                ? String.join(
                        "",
                        Objects.requireNonNull(
                                asked.stream().content().collectList().block()))
                : asked.call().content();
        assertThat(cities).containsExactly("Oslo");
        return answer;
    }

    /** The fake model's answer hangs on all that it was told. */
    @Test
    void aToolIsCalledAndItsResultIsTaken() {
        String sunny = weather("sunny", false);
        assertThat(sunny).isNotEmpty().isEqualTo(weather("sunny", true));
        assertThat(weather("rainy", false)).isNotEqualTo(sunny);
    }

    /** Asks for a long answer of a slow model; {@code stream} reads the begin of it, and leaves. */
    private static void requireAbort(Duration timeout, Consumer<OpenAiChatModel> stream) {
        try (TestServer slow =
                new TestServer(TestServer.Size.SMALL.withMaxTokens(4096).withStepNanos(5_000_000))) {
            stream.accept(model(slow, options(4000).timeout(timeout)));
            slow.awaitIdle();
            assertThat(slow.model.chosenTokens).isBetween(1L, 3999L);
            assertThat(slow.get("/metrics").body()).contains("finished_reason=\"abort\",model_name=\"fake\"} 1.0");
        }
    }

    @Test
    void aStreamThatIsLeftWhereItIsReadIsCountedAsAnAbortAndFreesItsSlot() {
        requireAbort(
                Duration.ofMinutes(5),
                model -> assertThat(model.stream(new Prompt("Hello"))
                                .take(3)
                                .collectList()
                                .block())
                        .hasSize(3));
    }

    /**
     * OpenAI's SDK, below, reads on one thread; if another one closes the stream while it does, the connection may stay open until
     * the client's timeout is over, whatever the server does.
     */
    @Test
    void aStreamThatIsDisposedOfFreesItsSlotWithinTheClientsTimeout() {
        requireAbort(Duration.ofSeconds(2), model -> {
            CountDownLatch begun = new CountDownLatch(3);
            Disposable stream = ChatClient.create(model).prompt().user("Hello").stream()
                    .content()
                    .subscribe(_ -> begun.countDown());
            try {
                assertThat(begun.await(20, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            stream.dispose();
        });
    }

    @Test
    void aRefusalHasTheStatusAndNamesTheField() {
        ChatClient hot = client(options(40).temperature(7.0));
        assertThatThrownBy(() -> hot.prompt().user("Hello").call().content())
                .isInstanceOfSatisfying(BadRequestException.class, SpringAiTest::requireTemperature);
        assertThatThrownBy(() -> hot.prompt().user("Hello").stream().content().blockLast())
                .hasStackTraceContaining("BadRequestException: 400")
                .hasStackTraceContaining("temperature");
    }

    private static void requireTemperature(BadRequestException error) {
        assertThat(error.statusCode()).isEqualTo(400);
        assertThat(error.param()).contains("temperature");
        assertThat(error).hasMessageContaining("temperature is 7");
    }
}
