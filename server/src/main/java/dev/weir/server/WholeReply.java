package dev.weir.server;

import dev.weir.protocol.ApiError;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import io.vertx.core.http.HttpServerResponse;
import java.util.ArrayList;
import java.util.List;

/** One JSON body for all answers. Owned by the context of its connection. */
final class WholeReply implements Reply {
    private final HttpServerResponse response;
    private final Body body;
    private final List<AnswerBuilder> builders = new ArrayList<>();
    private final Answer[] answers;

    /** Writes the body. */
    interface Body {
        String write(List<Answer> answers, Usage usage);
    }

    /** A reply of so many answers. */
    WholeReply(HttpServerResponse response, int size, Body body) {
        this.response = response;
        this.body = body;
        answers = new Answer[size];
        for (int i = 0; i < size; i++) {
            builders.add(new AnswerBuilder());
        }
    }

    @Override
    public void accepted(List<PreparedPrompt> prompts) {}

    @Override
    public void text(int choice, String delta, List<TokenLogprob> more) {
        builders.get(choice).text(delta, more);
    }

    @Override
    public void callBegun(int choice, String id, String name) {
        builders.get(choice).callBegun(id, name);
    }

    @Override
    public void callArguments(int choice, String delta) {
        builders.get(choice).callArguments(delta);
    }

    @Override
    public void callEnded(int choice) {}

    @Override
    public void choiceEnded(int choice, Ending ending, double meanLogprob) {
        answers[choice] = builders.get(choice).build(ending, meanLogprob);
    }

    @Override
    public void ended(Usage usage) {
        HttpReplies.json(response, body.write(List.of(answers), usage));
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
