package dev.weir.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A conversation whose next answer is known. Immutable; any thread.
 *
 * @param skill what it tries, for results apart
 * @param answer what the assistant should say, or the call that it should make, {@code {"name": ..., "arguments": {...}}}
 */
record ChatExercise(String skill, ChatConversation conversation, String answer) {
    /** The skill of exercises that name none. */
    static final String NO_SKILL = "all";

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final String CALL = "<tool_call>";
    private static final String CALL_END = "</tool_call>";

    /**
     * Reads a file with an exercise in each line that is not blank, as {@code weir corpus --held-out} writes it.
     *
     * @throws UserError naming the line and what is wrong there
     */
    static List<ChatExercise> read(Path path) throws IOException {
        TextFile file = TextFile.read("--chat", path);
        List<ChatExercise> exercises = new ArrayList<>();
        int line = 0;
        for (String json : file.text().lines().toList()) {
            line++;
            if (!json.isBlank()) {
                exercises.add(exercise(json, line, path + ", line " + line + ": "));
            }
        }
        return exercises;
    }

    private static ChatExercise exercise(String json, int line, String at) {
        JsonNode root = ChatFile.json(json, at);
        JsonNode answer = root.path("answer");
        if (!answer.isTextual() || answer.asText().isBlank()) {
            throw new UserError(at + "answer is " + ChatFile.shown(answer) + ": it must be a text that is not blank");
        }
        return new ChatExercise(
                root.path("skill").asText(NO_SKILL), ChatFile.conversation(root, line, at), answer.asText());
    }

    /** Whether an answer is the one that is wanted, but for white space around it and in the JSON of a call. */
    boolean isRight(String given) {
        String said = given.strip();
        if (said.equals(answer.strip())) {
            return true;
        }
        return said.startsWith(CALL)
                && said.endsWith(CALL_END)
                && isSameJson(said.substring(CALL.length(), said.length() - CALL_END.length()), answer);
    }

    private static boolean isSameJson(String one, String other) {
        try {
            return JSON.readTree(one).equals(JSON.readTree(other));
        } catch (JsonProcessingException e) {
            return false;
        }
    }
}
