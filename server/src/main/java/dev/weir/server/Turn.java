package dev.weir.server;

import dev.weir.engine.DeadlineExceededException;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import io.vertx.core.Context;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One ask being answered, from admission to the last event. Owned by the context on which it was made.
 *
 * <p>admit, encode the prompts, hand them to the engine, stream the texts, end. Each answer is a generation of its own; the
 * engine computes what their prompts share once. A turn ends once, with all its answers: by itself, by the client's
 * wish ({@link #cancel}), because nobody is left to hear ({@link #abandon}), or because it was refused or failed.
 */
final class Turn implements Admission.Work {
    /** Characters up to which a prompt is encoded on the event loop; longer ones go to a worker, as do those with a form. */
    static final int ENCODE_INLINE = 8 * 1024;

    private final ModelService model;
    private final Admission admission;
    private final Metrics metrics;
    private final Duration streamInterval;
    private final Caller caller;
    private final Context context;
    private final Ask ask;
    private final Reply reply;
    private final long startNanos = System.nanoTime();

    private @Nullable Permit permit;
    private final List<Choice> choices = new ArrayList<>();
    private List<PreparedPrompt> prompts = List.of();
    private int open;
    private int completionTokens;
    private int cachedTokens;
    private boolean isCut;
    private boolean hasStarted;
    private boolean isAway;
    private boolean isCancelled;
    private boolean isOver;

    /** A turn that has not begun. */
    Turn(Services services, Caller caller, Context context, Ask ask, Reply reply) {
        model = services.model();
        admission = services.admission();
        metrics = services.metrics();
        streamInterval = services.limits().streamInterval();
        this.caller = caller;
        this.context = context;
        this.ask = ask;
        this.reply = reply;
    }

    /** Begins; every later event comes through the reply. */
    void start() {
        hasStarted = true;
        admission.enter(this);
        try {
            model.checkName(ask.model());
            caller.checkModel(model.name());
            admission.check();
            checkSize();
            permit = caller.admit();
        } catch (ProtocolException | RetryLaterException e) {
            refuse(e);
            return;
        }
        if (ask.size() <= ENCODE_INLINE && !ask.isConstrained()) {
            begin(this::encode);
        } else {
            context.executeBlocking(this::encode, false)
                    .onSuccess(tokens -> begin(() -> tokens))
                    .onFailure(this::refuse);
        }
    }

    /** Refuses what could never be served, however often it is sent again. */
    private void checkSize() {
        int most = model.maxInFlight();
        if (ask.sequences() > most) {
            String field = ask.isRanked() ? "best_of" : ask.n() > 1 ? "n" : "prompt";
            throw new ProtocolException(ApiError.invalid(
                    "integer_above_max_value",
                    field,
                    field + " asks for " + ask.sequences() + " answers at once, " + ask.bestOf() + " to each of "
                            + ask.prompts().size() + " prompts, but this server holds at most " + most
                            + "; ask for fewer"));
        }
    }

    private List<int[]> encode() {
        model.compile(ask);
        return ask.prompts().stream().map(model::encode).toList();
    }

    /** Ends the text here, at the client's wish. */
    void cancel() {
        isCancelled = true;
        choices.forEach(choice -> choice.stream.finishEarly());
    }

    /** Ends the text where it will be in a moment. */
    @Override
    public void cancelSoon() {
        context.runOnContext(_ -> {
            if (!isOver) {
                cancel();
            }
        });
    }

    /** Ends the generation within a step; the client is gone and hears nothing more. */
    void abandon() {
        if (isOver) {
            return;
        }
        if (!hasStarted) {
            isOver = true;
            return;
        }
        choices.forEach(choice -> choice.stream.abandon());
        finish("abort", () -> {});
    }

    /** Says whether anybody reads: while nobody does, others go first. */
    void away(boolean nowAway) {
        isAway = nowAway;
        choices.forEach(choice -> choice.stream.away(nowAway));
    }

    /** Goes on after the client has read. */
    void resume() {
        if (!isOver) {
            choices.forEach(choice -> choice.stream.resume());
        }
    }

    /** One answer on its way. */
    private final class Choice implements TokenStream.Reader {
        private final int index;
        private final TokenStream stream;
        private final @Nullable AnswerParser parser;

        Choice(int index, PreparedPrompt prompt) {
            this.index = index;
            parser = model.parser(ask, prompt, reply, index);
            stream = new TokenStream(
                    context,
                    streamInterval,
                    System::nanoTime,
                    model.detokenizer(prompt),
                    model.pendingLogprobs(ask),
                    this);
        }

        @Override
        public boolean isFull() {
            return reply.isFull();
        }

        @Override
        public void text(String delta, List<TokenLogprob> logprobs) {
            if (parser == null) {
                reply.text(index, delta, logprobs);
            } else {
                parser.accept(delta, logprobs);
            }
        }

        @Override
        public void ended(Reply.Ending ending, int tokens, int cached, double meanLogprob) {
            if (parser != null) {
                parser.finish();
            }
            choiceEnded(index, ending, tokens, cached, meanLogprob);
        }

        @Override
        public void failed(Throwable cause) {
            if (!isOver) {
                choices.forEach(choice -> choice.stream.abandon());
                ApiError error = Faults.error(cause, ask);
                boolean isOurs = error.status() >= 500;
                boolean isLate = cause instanceof DeadlineExceededException;
                if (!isOurs) {
                    metrics.refused(error);
                }
                finish(isLate ? "abort" : isOurs ? "error" : null, () -> reply.failed(error));
            }
        }
    }

    private void choiceEnded(int index, Reply.Ending ending, int tokens, int cached, double meanLogprob) {
        completionTokens += tokens;
        cachedTokens += index % ask.bestOf() == 0 ? cached : 0; // the others found what the first one computed
        isCut |= ending == Reply.Ending.LENGTH;
        reply.choiceEnded(index, ending, meanLogprob);
        open--;
        if (open == 0 && !isOver) {
            finish(
                    isCancelled ? "abort" : isCut ? "length" : "stop",
                    () -> reply.ended(new Usage(promptTokens(), completionTokens, cachedTokens)));
        }
    }

    private int promptTokens() {
        return prompts.stream().mapToInt(PreparedPrompt::promptTokens).sum();
    }

    private void begin(Supplier<List<int[]>> encoded) {
        if (isOver) {
            return;
        }
        try {
            List<int[]> tokens = encoded.get();
            List<PreparedPrompt> ready = new ArrayList<>();
            for (int i = 0; i < tokens.size(); i++) {
                ready.add(model.prepare(ask, ask.prompts().get(i), caller.tenant(), tokens.get(i)));
            }
            prompts = ready;
            open = ask.sequences();
            if (isCancelled) {
                reply.accepted(ready);
                for (int i = 0; i < ask.sequences(); i++) {
                    choiceEnded(i, Reply.Ending.CANCELLED, 0, 0, 0);
                }
            } else {
                submit(ready);
            }
        } catch (ProtocolException | RetryLaterException e) {
            refuse(e);
        }
    }

    /** Hands all to the engine, or none if it has no room for one of them. */
    private void submit(List<PreparedPrompt> ready) {
        if (permit != null) {
            permit.reserve(ready.stream()
                    .mapToInt(prompt -> prompt.mostTokens(ask.bestOf()))
                    .sum());
        }
        for (int i = 0; i < ask.sequences(); i++) {
            PreparedPrompt prompt = ready.get(i / ask.bestOf());
            Choice choice = new Choice(i, prompt);
            choices.add(choice);
            model.generate(prompt.sample(i % ask.bestOf())).subscribe(choice.stream);
            Throwable refusal = choice.stream.refusal();
            if (refusal != null) {
                choices.forEach(begun -> begun.stream.abandon());
                choices.clear();
                refuse(refusal);
                return;
            }
        }
        if (isAway) {
            away(true);
        }
        reply.accepted(ready);
        if (ask.echo()) {
            for (int i = 0; i < ask.sequences(); i++) {
                int prompt = i / ask.bestOf();
                reply.text(
                        i,
                        model.text(
                                ask.prompts().get(prompt),
                                ready.get(prompt).request().promptTokens()),
                        List.of());
            }
        }
    }

    private void refuse(Throwable cause) {
        if (!isOver) {
            ApiError error = Faults.error(cause, ask);
            metrics.refused(error);
            finish(null, () -> reply.refused(error, Faults.retryAfterSeconds(cause)));
        }
    }

    /** Closes the books before the last word: the connection may tell of its end while that is being written. */
    private void finish(@Nullable String reason, Runnable lastWord) {
        isOver = true;
        admission.leave(this);
        int used = choices.isEmpty() ? 0 : promptTokens();
        for (Choice choice : choices) {
            used += choice.stream.tokens();
        }
        if (permit != null) {
            permit.end(used);
        }
        if (!choices.isEmpty()) {
            metrics.used(caller.tenant(), used);
        }
        if (reason != null) {
            metrics.finished(reason, System.nanoTime() - startNanos);
        }
        lastWord.run();
    }
}
