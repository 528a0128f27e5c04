package dev.weir.engine;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Outputs of a single token and nothing else, of which nearly all of a text consists: each is made once and given to every stream
 * that says that token. Owned by the engine thread.
 */
final class StepOutputs {
    private final @Nullable StepOutput[] byToken;

    StepOutputs(int vocabularySize) {
        byToken = new @Nullable StepOutput[vocabularySize];
    }

    StepOutput of(int token) {
        StepOutput output = byToken[token];
        if (output == null) {
            output = new StepOutput(new int[] {token}, null, 0, List.of());
            byToken[token] = output;
        }
        return output;
    }
}
