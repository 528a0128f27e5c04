package dev.weir.train;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.tokenizer.ChatTemplate;
import java.util.List;

/**
 * A conversation to learn from, as OpenAI's chat API has it. Immutable; any thread.
 *
 * @param line of its file, from 1
 * @param tools the functions that the assistant may call; missing for none
 */
record ChatConversation(int line, List<ChatTemplate.Message> messages, JsonNode tools) {
    static final String ASSISTANT = "assistant";
}
