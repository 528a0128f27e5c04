package dev.weir.server;

import dev.weir.engine.ContextLengthExceededException;
import dev.weir.engine.EngineFailedException;
import dev.weir.engine.NoTokenAllowedException;
import dev.weir.engine.OverloadedException;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import dev.weir.protocol.TokenLogprob;
import dev.weir.protocol.Usage;
import io.vertx.core.Context;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One ask being answered, from admission to the last event. Owned by the context of its connection.
 *
 * <p>admit, encode the prompt, hand it to the engine, stream the text, end. A turn ends once: by itself, by the client's
 * wish ({@link #cancel}), because the client is gone ({@link #abandon}), or because it was refused or failed.
 */
final class Turn implements TokenStream.Reader {
    /** Characters up to which a prompt is encoded on the event loop; longer ones go to a worker. */
    static final int ENCODE_INLINE = 8 * 1024;

    private final ModelService model;
    private final Admission admission;
    private final Metrics metrics;
    private final Duration streamInterval;
    private final Caller caller;
    private final Context context;
    private final Ask ask;
    private final Reply reply;
    private final Runnable whenOver;
    private final long startNanos = System.nanoTime();

    private @Nullable Permit permit;
    private @Nullable TokenStream stream;
    private @Nullable PreparedPrompt prompt;
    private boolean hasStarted;
    private boolean isCancelled;
    private boolean isOver;

    /**
     * A turn that has not begun.
     *
     * @param whenOver told once, after the last event
     */
    Turn(Services services, Caller caller, Context context, Ask ask, Reply reply, Runnable whenOver) {
        model = services.model();
        admission = services.admission();
        metrics = services.metrics();
        streamInterval = services.limits().streamInterval();
        this.caller = caller;
        this.context = context;
        this.ask = ask;
        this.reply = reply;
        this.whenOver = whenOver;
    }

    String id() {
        return ask.id();
    }

    /** Begins; every later event comes through the reply. */
    void start() {
        hasStarted = true;
        admission.enter();
        try {
            model.checkName(ask.model());
            caller.checkModel(model.name());
            admission.check();
            permit = caller.admit();
        } catch (ProtocolException | RateLimitException e) {
            refuse(e);
            return;
        }
        if (ask.source().size() <= ENCODE_INLINE) {
            begin(() -> model.encode(ask.source()));
        } else {
            context.executeBlocking(() -> model.encode(ask.source()), false)
                    .onSuccess(tokens -> begin(() -> tokens))
                    .onFailure(this::refuse);
        }
    }

    /** Ends the text here, at the client's wish. */
    void cancel() {
        isCancelled = true;
        if (stream != null && !isOver) {
            stream.finishEarly();
        }
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
        if (stream != null) {
            stream.abandon();
        }
        finish("abort", () -> {});
    }

    /** Goes on after the client has read. */
    void resume() {
        if (stream != null && !isOver) {
            stream.resume();
        }
    }

    @Override
    public boolean isFull() {
        return reply.isFull();
    }

    @Override
    public void text(String delta, List<TokenLogprob> logprobs) {
        reply.text(delta, logprobs);
    }

    @Override
    public void ended(Reply.Ending ending, int tokens, int cachedTokens) {
        int promptTokens = prompt == null ? 0 : prompt.promptTokens();
        finish(
                switch (ending) {
                    case STOP -> "stop";
                    case LENGTH -> "length";
                    case CANCELLED -> "abort";
                },
                () -> reply.ended(ending, new Usage(promptTokens, tokens, cachedTokens)));
    }

    @Override
    public void failed(Throwable cause) {
        finish("error", () -> reply.failed(error(cause)));
    }

    private void begin(Supplier<int[]> encoded) {
        if (isOver) {
            return;
        }
        try {
            PreparedPrompt ready = model.prepare(ask, caller.tenant(), encoded.get());
            prompt = ready;
            if (isCancelled) {
                reply.accepted(ready);
                ended(Reply.Ending.CANCELLED, 0, 0);
            } else {
                submit(ready);
            }
        } catch (ProtocolException | RateLimitException e) {
            refuse(e);
        }
    }

    private void submit(PreparedPrompt ready) {
        if (permit != null) {
            permit.reserve(ready.mostTokens());
        }
        TokenStream tokenStream =
                new TokenStream(context, streamInterval, model.detokenizer(ready), model.pendingLogprobs(ready), this);
        model.generate(ready.request()).subscribe(tokenStream);
        Throwable refusal = tokenStream.failure();
        if (refusal != null) {
            tokenStream.abandon();
            refuse(refusal);
            return;
        }
        stream = tokenStream;
        reply.accepted(ready);
    }

    private void refuse(Throwable cause) {
        if (!isOver) {
            ApiError error = error(cause);
            long retryAfterSeconds = switch (cause) {
                case OverloadedException e -> e.retryAfter().toSeconds();
                case RateLimitException e -> e.retryAfterSeconds();
                default -> 0;
            };
            metrics.refused(error);
            finish(null, () -> reply.refused(error, retryAfterSeconds));
        }
    }

    /** Closes the books before the last word: the connection may tell of its end while that is being written. */
    private void finish(@Nullable String reason, Runnable lastWord) {
        isOver = true;
        admission.leave();
        int used = stream == null || prompt == null ? 0 : prompt.promptTokens() + stream.tokens();
        if (permit != null) {
            permit.end(used);
        }
        if (prompt != null) {
            metrics.used(prompt.request().tenant(), used);
        }
        if (reason != null) {
            metrics.finished(reason, System.nanoTime() - startNanos);
        }
        lastWord.run();
        whenOver.run();
    }

    private ApiError error(Throwable cause) {
        String reason = String.valueOf(cause.getMessage());
        return switch (cause) {
            case ProtocolException e -> e.error();
            case RateLimitException e -> e.error();
            case OverloadedException _ -> ApiError.overloaded(reason);
            case ContextLengthExceededException _ ->
                ApiError.contextLengthExceeded(ask.source().field(), reason + "; shorten it");
            case NoTokenAllowedException _ -> ApiError.invalid("invalid_value", null, reason);
            case IllegalArgumentException _ ->
                ApiError.invalid("invalid_value", ask.source().field(), reason);
            case EngineFailedException _ -> ApiError.internal(reason);
            default -> {
                Logs.SERVER.error("request {} failed", ask.id(), cause);
                yield ApiError.internal("the server failed; its log says why");
            }
        };
    }
}
