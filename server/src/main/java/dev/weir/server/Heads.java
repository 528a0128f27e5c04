package dev.weir.server;

import dev.weir.onnx.FolderTask;
import dev.weir.onnx.ModelFolder;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.ProtocolException;
import dev.weir.tokenizer.Tokenizer;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a model can say of whole texts, beside generating: what its folder has. Immutable; any thread. */
final class Heads implements AutoCloseable {
    private static final Set<String> OF_ONE_TEXT = Set.of("classification", "regression");
    private static final String REMEDY =
            ": fine-tune one with ./weir finetune --task classification, or --task regression for numbers, export its"
                    + " best folder with ./weir export, and serve that";

    /** Those of a model that only generates. */
    static final Heads NONE = new Heads(null, "the model has no head that classifies" + REMEDY, null);

    private final @Nullable Classifier classifier;
    private final String whyNotClassify;
    private final @Nullable Embedder embedder;

    private Heads(@Nullable Classifier classifier, String whyNotClassify, @Nullable Embedder embedder) {
        this.classifier = classifier;
        this.whyNotClassify = whyNotClassify;
        this.embedder = embedder;
    }

    /**
     * Loads those of a model.
     *
     * @param threads that compute; 0 for one per physical core
     * @throws dev.weir.onnx.ModelLoadException if the graph cannot be used
     * @throws IllegalArgumentException if the folder's files do not go together
     */
    static Heads open(ModelFolder folder, Tokenizer tokenizer, int threads) {
        Optional<FolderTask> task = FolderTask.read(folder.path());
        String whyNot = NONE.whyNotClassify;
        if (task.isPresent()) {
            String name = task.get().name();
            whyNot = !OF_ONE_TEXT.contains(name)
                    ? "the model's head is for " + name + ", which takes several texts at once, but /v1/classify takes"
                            + " them one by one" + REMEDY
                    : folder.blockSize() > 0
                            ? "the model was exported for a GPU, and its head is computed on the CPU: export it again"
                                    + " with --target cpu"
                            : "";
        }
        Classifier classifier =
                task.isPresent() && whyNot.isEmpty() ? Classifier.open(folder, task.get(), tokenizer, threads) : null;
        try {
            Embedder embedder = folder.embeddings()
                    .map(graph -> Embedder.open(graph, tokenizer, threads))
                    .orElse(null);
            return new Heads(classifier, whyNot, embedder);
        } catch (RuntimeException e) {
            if (classifier != null) {
                classifier.close();
            }
            throw e;
        }
    }

    /**
     * What classifies texts.
     *
     * @throws ProtocolException if nothing does, saying why
     */
    Classifier classifier() {
        if (classifier == null) {
            throw unsupported(whyNotClassify);
        }
        return classifier;
    }

    /**
     * What gives embeddings.
     *
     * @throws ProtocolException if nothing does, saying why
     */
    Embedder embedder() {
        if (embedder == null) {
            throw unsupported("the model's folder has no " + ModelFolder.EMBEDDINGS_FILE
                    + ": export it again with ./weir export --embeddings, and serve that");
        }
        return embedder;
    }

    private static ProtocolException unsupported(String reason) {
        return new ProtocolException(ApiError.invalid("unsupported_model", "model", reason));
    }

    @Override
    public void close() {
        if (classifier != null) {
            classifier.close();
        }
        if (embedder != null) {
            embedder.close();
        }
    }
}
