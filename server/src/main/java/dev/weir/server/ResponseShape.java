package dev.weir.server;

import dev.weir.protocol.OutputItem;
import dev.weir.protocol.ResponseObject;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.ResponseStatus;
import dev.weir.protocol.Usage;
import java.util.List;

/**
 * What a response looks like. Immutable; any thread.
 *
 * @param id its name
 * @param model name of the model
 * @param request what was asked
 */
record ResponseShape(String id, String model, ResponseRequest request) {
    ResponseObject begun(PreparedPrompt prompt) {
        return ResponseObject.inProgress(
                id,
                System.currentTimeMillis() / 1000,
                model,
                new ResponseObject.Settings(
                        request.instructions(),
                        request.sampling().maxTokens(),
                        shown(prompt.request().sampling().temperature()),
                        shown(prompt.request().sampling().topP()),
                        request.metadata(),
                        request.tools(),
                        request.sampling().format(),
                        request.previousResponseId(),
                        request.conversation(),
                        request.store()));
    }

    /** The response whose prompt was computed, and nothing more. */
    ResponseObject warmedUp(ResponseObject begun, Usage usage) {
        return begun.ended(
                ResponseStatus.COMPLETED, List.of(), new Usage(usage.promptTokens(), 0, usage.cachedTokens()), null);
    }

    ResponseObject ended(ResponseObject begun, Reply.Ending ending, List<OutputItem> output, Usage usage) {
        return begun.ended(
                switch (ending) {
                    case STOP -> ResponseStatus.COMPLETED;
                    case LENGTH -> ResponseStatus.INCOMPLETE;
                    case CANCELLED -> ResponseStatus.CANCELLED;
                },
                output,
                usage,
                ending == Reply.Ending.LENGTH ? "max_output_tokens" : null);
    }

    /** The shortest decimal for a float, so that 0.7 comes back as 0.7. */
    private static double shown(float value) {
        return Double.parseDouble(Float.toString(value));
    }
}
