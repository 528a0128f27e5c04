package dev.weir.server;

import dev.weir.engine.GenerationRequest;
import java.util.List;

/**
 * An {@link Ask} ready for the engine. Immutable; any thread.
 *
 * @param request the encoded prompt with all defaults filled in
 * @param stop strings that end the text
 * @param includeStop whether the one that did is part of the text
 */
record PreparedPrompt(GenerationRequest request, List<String> stop, boolean includeStop) {
    int promptTokens() {
        return request.promptTokens().length;
    }

    /** Tokens of the prompt and the longest answer together. */
    int mostTokens() {
        return promptTokens() + request.sampling().maxTokens();
    }
}
