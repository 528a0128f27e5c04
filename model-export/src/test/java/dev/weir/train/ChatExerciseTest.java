package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChatExerciseTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    private Path folder;

    @ParameterizedTest
    @CsvSource(delimiter = '~', quoteCharacter = '`', textBlock = """
            five ~ five ~ true
            five ~ ` five\n` ~ true
            five ~ Five ~ false
            five ~ five. ~ false
            {"name": "f", "arguments": {"a": 1, "b": 2}} ~ <tool_call>{"name":"f","arguments":{"b":2,"a":1}}</tool_call> ~ true
            {"name": "f", "arguments": {"a": 1}} ~ <tool_call>{"name": "f", "arguments": {"a": "1"}}</tool_call> ~ false
            {"name": "f", "arguments": {"a": 1}} ~ <tool_call>{"name": "f", "arguments": {"a": 1 ~ false
            {"name": "f", "arguments": {"a": 1}} ~ {"name": "f",  "arguments": {"a": 1}} ~ false
            """)
    void anAnswerIsRightWordForWordAndACallByWhatItSays(String wanted, String given, boolean isRight)
            throws IOException {
        assertThat(exercise(wanted).isRight(given)).isEqualTo(isRight);
    }

    @Test
    void resultsAreBySkillWithTheFirstMistakes() throws IOException {
        ChatExercise five = exercise("five");
        ChatExercise six = new ChatExercise("count", five.conversation(), "six");
        ChatScore score = ChatScore.of(List.of(
                new ChatScore.Given(five, "five"),
                new ChatScore.Given(six, "seven"),
                new ChatScore.Given(six, "six"),
                new ChatScore.Given(six, "eight")));
        assertThat(score.skills()).containsOnlyKeys("all", "count");
        assertThat(score.skills().get("count"))
                .isEqualTo(new ChatScore.Skill(
                        3, 1, List.of(new ChatScore.Given(six, "seven"), new ChatScore.Given(six, "eight"))));
        assertThat(score.share()).isEqualTo(0.5);
    }

    @Test
    void aLineWithoutAnAnswerIsNamed() throws IOException {
        Path file = Files.writeString(
                folder.resolve("x.jsonl"), "\n{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n");
        assertThatThrownBy(() -> ChatExercise.read(file))
                .isInstanceOf(UserError.class)
                .hasMessageContaining("x.jsonl, line 2: answer is missing");
    }

    private ChatExercise exercise(String answer) throws IOException {
        String line = "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"answer\": \""
                + answer.replace("\"", "\\\"") + "\"}";
        return ChatExercise.read(Files.writeString(folder.resolve("one.jsonl"), line))
                .getFirst();
    }
}
