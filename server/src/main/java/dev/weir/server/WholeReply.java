package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;

/** One JSON body for the whole text. Owned by the context of its connection. */
final class WholeReply implements Reply {
    private final HttpServerResponse response;
    private final Body body;
    private final StringBuilder text = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();

    /** Writes the body. */
    interface Body {
        String write(PreparedPrompt prompt, String text, List<TokenLogprob> logprobs, Ending ending, Usage usage);
    }

    private PreparedPrompt prompt;

    @SuppressWarnings("NullAway.Init") // accepted() comes before any other call but refused()
    WholeReply(HttpServerResponse response, Body body) {
        this.response = response;
        this.body = body;
    }

    @Override
    public void accepted(PreparedPrompt accepted) {
        prompt = accepted;
    }

    @Override
    public void text(String delta, List<TokenLogprob> more) {
        text.append(delta);
        logprobs.addAll(more);
    }

    @Override
    public void ended(Ending ending, Usage usage) {
        HttpReplies.json(response, body.write(prompt, text.toString(), logprobs, ending, usage));
    }

    @Override
    public void refused(ApiError error, long retryAfterSeconds) {
        HttpReplies.error(response, error, retryAfterSeconds);
    }

    @Override
    public void failed(ApiError error) {
        HttpReplies.error(response, error, 0);
    }

    @Override
    public boolean isFull() {
        return false;
    }
}
