package dev.weir.server;

import dev.weir.protocol.Classified;
import dev.weir.protocol.ClassifyRequest;
import dev.weir.protocol.EmbeddingRequest;
import dev.weir.protocol.Replies;
import dev.weir.protocol.RequestReader;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** What is served of whole texts: their classes and embeddings. Owned by one event loop. */
final class HeadRoutes {
    private final Services services;
    private final ModelService model;
    private final Vertx vertx;

    HeadRoutes(Services services, Vertx vertx) {
        this.services = services;
        model = services.model();
        this.vertx = vertx;
    }

    /** Makes the answer of what a model said of sequences of so many tokens together. */
    private interface Answer {
        String write(List<float[]> said, int tokens);
    }

    /** {@code POST /v1/classify}. */
    void classify(RoutingContext http, String body) {
        ClassifyRequest request = RequestReader.classify(body);
        Classifier classifier = model.heads().classifier();
        String id = Ids.next("classify-");
        long createdAt = System.currentTimeMillis() / 1000;
        run(http, request.model(), classifier.worker(), () -> classifier.sequences(request.input()), (said, tokens) -> {
            List<Classified> texts = said.stream().map(classifier::classified).toList();
            return Replies.classified(id, createdAt, model.name(), texts, tokens);
        });
    }

    /** {@code POST /v1/embeddings}. */
    void embed(RoutingContext http, String body) {
        EmbeddingRequest request = RequestReader.embedding(body);
        Embedder embedder = model.heads().embedder();
        embedder.checkDimensions(request.dimensions());
        run(http, request.model(), embedder.worker(), () -> embedder.sequences(request.input()), (said, tokens) -> {
            List<float[]> embeddings = said.stream()
                    .map(mean -> Embedder.embedding(mean, request.dimensions()))
                    .toList();
            return Replies.embeddings(model.name(), embeddings, request.isBase64(), tokens);
        });
    }

    /** Encodes on a worker, computes and writes on the model's own thread, and sends on the event loop. */
    private void run(
            RoutingContext http,
            @Nullable String asked,
            SequenceWorker worker,
            Callable<List<int[]>> encode,
            Answer answer) {
        Caller caller = Authentication.caller(http);
        model.checkName(asked);
        caller.checkModel(model.name());
        services.admission().check();
        Permit permit = caller.admit();
        AtomicBoolean isLeft = new AtomicBoolean(http.response().closed());
        Admission.Work work = () -> isLeft.set(true);
        services.admission().enter(work);
        http.response().closeHandler(_ -> isLeft.set(true));
        http.response().exceptionHandler(_ -> isLeft.set(true));
        Context context = vertx.getOrCreateContext();
        AtomicInteger used = new AtomicInteger();
        vertx.executeBlocking(encode, false)
                .compose(sequences -> {
                    int tokens = sequences.stream()
                            .mapToInt(sequence -> sequence.length)
                            .sum();
                    permit.reserve(tokens);
                    CompletableFuture<String> json =
                            worker.run(sequences, said -> answer.write(said, tokens), isLeft::get);
                    used.set(tokens); // from here on, as part of it is computed even if the client leaves
                    return Future.fromCompletionStage(json, context);
                })
                .onComplete(_ -> {
                    services.admission().leave(work);
                    permit.end(used.get());
                    services.metrics().used(caller.tenant(), used.get());
                })
                .onSuccess(json -> HttpReplies.json(http.response(), json))
                .onFailure(cause -> {
                    if (!(cause instanceof CancellationException)) {
                        http.fail(cause);
                    } else if (!http.response().closed()) {
                        http.fail(RetryLaterException.stopping());
                    }
                });
    }
}
