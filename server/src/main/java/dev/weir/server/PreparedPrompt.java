package dev.weir.server;

import dev.weir.engine.GenerationRequest;
import java.util.List;
import java.util.OptionalLong;

/**
 * An {@link Ask} ready for the engine. Immutable; any thread.
 *
 * @param request the encoded prompt with all defaults filled in
 * @param stop strings that end the text
 * @param includeStop whether the one that did is part of the text
 */
record PreparedPrompt(GenerationRequest request, List<String> stop, boolean includeStop) {
    /** The ask for one of several answers: a seed gives each its own, the first the one that a single answer would have. */
    GenerationRequest sample(int index) {
        OptionalLong seed = request.sampling().seed();
        if (index == 0 || seed.isEmpty()) {
            return request;
        }
        return request.with(
                request.sampling().toBuilder().seed(seed.getAsLong() + index).build());
    }

    int promptTokens() {
        return request.promptTokens().length;
    }

    /** Tokens of the prompt and so many of the longest answers together. */
    int mostTokens(int answers) {
        return promptTokens() + answers * request.sampling().maxTokens();
    }
}
