package dev.weir.loadtest;

import dev.weir.protocol.ChatCompletionRequest;
import dev.weir.protocol.ChatMessage;
import dev.weir.protocol.ClientEvent;
import dev.weir.protocol.CompletionRequest;
import dev.weir.protocol.Prompt;
import dev.weir.protocol.RequestWriter;
import dev.weir.protocol.ResponseRequest;
import dev.weir.protocol.SamplingFields;
import java.util.List;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * The bodies of the requests of a run, by their number. Owner: the thread of the run. Prompts are taken in turn; with a
 * seed each request gets its own (seed + number), so that a run is reproducible and its answers still differ. No server is asked to store what it answers.
 */
final class RequestBodies implements LongFunction<String> {

    private final Target target;
    private final @Nullable String model;
    private final List<Prompt> prompts;
    private final SamplingFields sampling;
    private final @Nullable String[] cache;

    /** @param model null leaves the choice to the server */
    RequestBodies(Target target, @Nullable String model, List<Prompt> prompts, SamplingFields sampling) {
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException("there is no prompt");
        }
        this.target = target;
        this.model = model;
        this.prompts = List.copyOf(prompts);
        this.sampling = sampling;
        this.cache = new @Nullable String[prompts.size()];
    }

    @Override
    public String apply(long index) {
        int which = (int) (index % prompts.size());
        if (sampling.seed() != null) {
            return write(
                    prompts.get(which),
                    sampling.toBuilder().seed(sampling.seed() + index).build());
        }
        String body = cache[which];
        if (body == null) {
            body = write(prompts.get(which), sampling);
            cache[which] = body;
        }
        return body;
    }

    private String write(Prompt prompt, SamplingFields fields) {
        return switch (target.api()) {
            case RESPONSES -> {
                ResponseRequest request =
                        ResponseRequest.of(model, textOf(prompt), fields).unstored();
                yield switch (target.transport()) {
                    case WS -> RequestWriter.clientEvent(ClientEvent.Create.of(null, request));
                    case SSE -> RequestWriter.response(request);
                };
            }
            case COMPLETIONS -> RequestWriter.completion(new CompletionRequest(model, prompt, fields, true, true));
            case CHAT ->
                RequestWriter.chatCompletion(new ChatCompletionRequest(
                        model, List.of(new ChatMessage("user", textOf(prompt))), fields, true, true));
        };
    }

    private static String textOf(Prompt prompt) {
        return switch (prompt) {
            case Prompt.Text(String words) -> words;
            case Prompt.Tokens _ ->
                throw new IllegalArgumentException("token ids are a prompt for --api completions only");
        };
    }
}
