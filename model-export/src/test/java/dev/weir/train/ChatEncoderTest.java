package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.ChatTemplate.Message;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatEncoderTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<Message> TALK = List.of(
            new Message("system", "Be kind."),
            new Message("user", "One <|assistant|> or two?"),
            new Message("assistant", "Two."),
            new Message("user", " Sure? "),
            new Message("assistant", "Quite\nsure."));

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Tokenizer tokenizer;

    @BeforeEach
    void makeTokenizer() throws IOException {
        String text = "Be kind. One or two? Two. Sure? Quite sure. The wheel turns.\n".repeat(20);
        List<String> special = new ArrayList<>(List.of(TrainingData.END_OF_TEXT));
        special.addAll(ChatTemplates.CONTROL_TOKENS);
        BpeTrainer.train(text, 290, special).write(folder);
        tokenizer = Tokenizer.load(folder);
    }

    @Test
    void weirsTemplateWritesAConversationWithItsControlTokens() throws IOException {
        assertThat(template(ChatTemplates.own()).render(TALK, true).toString())
                .isEqualTo("<|system|>Be kind.<|endoftext|><|user|>One <|assistant|> or two?<|endoftext|>"
                        + "<|assistant|>Two.<|endoftext|><|user|> Sure? <|endoftext|>"
                        + "<|assistant|>Quite\nsure.<|endoftext|><|assistant|>");
        JsonNode tools = JSON.readTree("""
                [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}},
                 {"type": "function", "name": "add"}]""");
        Message call = new Message("assistant", null, Map.of("tool_calls", JSON.readTree("""
                        [{"id": "c", "function": {"name": "weather", "arguments": "{\\"place\\": \\"Rome\\"}"}}]""")));
        assertThat(template(ChatTemplates.own())
                        .render(
                                List.of(new Message("user", "Is it hot?"), call, new Message("tool", "{\"t\": 31}")),
                                tools,
                                false)
                        .toString())
                .isEqualTo("<|system|>{\"name\": \"weather\", \"parameters\": {\"type\": \"object\"}}\n"
                        + "{\"type\": \"function\", \"name\": \"add\"}<|endoftext|><|user|>Is it hot?<|endoftext|>"
                        + "<|assistant|><tool_call>{\"name\": \"weather\", \"arguments\": {\"place\": \"Rome\"}}</tool_call>"
                        + "<|endoftext|><|tool|>{\"t\": 31}<|endoftext|>");
        assertThat(template(ChatTemplates.own())
                        .render(List.of(new Message("system", "Be kind."), new Message("user", "Hi")), tools, true)
                        .toString())
                .startsWith("<|system|>Be kind.\n{\"name\": \"weather\"")
                .endsWith("<|endoftext|><|user|>Hi<|endoftext|><|assistant|>");
    }

    @Test
    void theTargetsAreWhatTheAssistantSaysAndTheEndOfEachAnswer() throws IOException {
        ChatExample example = encode(ChatTemplates.own(), 1000, TALK);
        StringBuilder learned = new StringBuilder();
        for (int place : example.places()) {
            learned.append(tokenizer.decode(new int[] {example.ids()[place + 1]}, true));
        }
        assertThat(learned.toString()).isEqualTo("Two.<|endoftext|>Quite\nsure.<|endoftext|>");
        assertThat(tokenizer.decode(example.ids(), true))
                .as("a user's words become no control token")
                .isEqualTo(template(ChatTemplates.own()).render(TALK, false).toString());
        int assistant = tokenizer.id("<|assistant|>").orElseThrow();
        assertThat(Arrays.stream(example.ids()).filter(id -> id == assistant)).hasSize(2);
    }

    @Test
    void whatStandsBeforeAnAnswerAreTheTokensThatTheServerWouldSend() throws IOException {
        ChatExample example = encode(ChatTemplates.own(), 1000, TALK);
        for (int answer : new int[] {2, 4}) {
            int[] sent = tokenizer.encode(
                    template(ChatTemplates.own()).render(TALK.subList(0, answer), MissingNode.getInstance(), true));
            assertThat(Arrays.copyOf(example.ids(), sent.length)).isEqualTo(sent);
            assertThat(example.places()).contains(sent.length - 1);
        }
    }

    @Test
    void aConversationThatIsTooLongEndsWithTheLastAnswerThatFits() throws IOException {
        ChatExample whole = encode(ChatTemplates.own(), 1000, TALK);
        ChatExample first = encode(ChatTemplates.own(), 1000, TALK.subList(0, 3));
        assertThat(encode(ChatTemplates.own(), whole.length(), TALK).ids()).isEqualTo(whole.ids());
        assertThat(encode(ChatTemplates.own(), whole.length() - 1, TALK).ids()).isEqualTo(first.ids());
        assertThat(encode(ChatTemplates.own(), first.length(), TALK).places()).isEqualTo(first.places());
        assertThat(encoder(ChatTemplates.own(), first.length() - 1)
                        .encode(new ChatConversation(1, TALK, MissingNode.getInstance())))
                .isEmpty();
    }

    @Test
    void whatATemplateWritesAfterTheEndOfAnAnswerIsNotLearned() throws IOException {
        ChatExample example = encode(
                "{% for m in messages %}{{ m.role + ':\\n' + m.content + eos_token + '\\n\\n' }}{% endfor %}"
                        + "{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}",
                1000, TALK.subList(1, 3));
        assertThat(tokenizer.decode(example.ids(), true)).endsWith("assistant:\nTwo.<|endoftext|>");
    }

    @Test
    void aTemplateThatAnswersOtherwiseThanItAsksIsRefused() {
        assertThatThrownBy(() -> encode(
                        "{% for m in messages %}{{ m.content }}{% endfor %}"
                                + "{% if add_generation_prompt %}{{ 'Answer: ' }}{% endif %}",
                        1000, TALK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("messages[2]");
        assertThatThrownBy(() ->
                        encode("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}", 9, TALK))
                .hasMessageContaining("messages[2]");
    }

    private ChatExample encode(String template, int context, List<Message> messages) throws IOException {
        return encoder(template, context)
                .encode(new ChatConversation(1, messages, MissingNode.getInstance()))
                .orElseThrow();
    }

    private ChatEncoder encoder(String template, int context) throws IOException {
        return new ChatEncoder(template(template), tokenizer, context);
    }

    private ChatTemplate template(String source) throws IOException {
        Files.writeString(folder.resolve(ExportSource.CHAT_TEMPLATE), source);
        return ChatTemplate.load(folder).orElseThrow();
    }
}
