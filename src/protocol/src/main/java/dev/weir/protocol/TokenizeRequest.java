package dev.weir.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /tokenize} in vLLM's shape. Immutable; any thread.
 *
 * @param model name of the model, or null for the one that is served
 * @param prompt text to tokenise; null when messages are given
 * @param messages conversation to tokenise through the chat template; empty when a prompt is given
 * @param tools the functions that may be called in the conversation
 * @param addSpecialTokens whether the tokenizer adds its own special tokens to a prompt
 * @param addGenerationPrompt whether the template opens the assistant's turn
 * @param returnTokenStrings whether to answer with each token's text too
 */
public record TokenizeRequest(
        @Nullable String model,
        @Nullable String prompt,
        List<ChatMessage> messages,
        Tools tools,
        boolean addSpecialTokens,
        boolean addGenerationPrompt,
        boolean returnTokenStrings) {
    public TokenizeRequest {
        messages = List.copyOf(messages);
    }
}
