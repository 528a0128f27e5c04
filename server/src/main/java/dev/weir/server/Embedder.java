package dev.weir.server;

import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Prompt;
import dev.weir.protocol.ProtocolException;
import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Embeddings of texts: the mean of what the model's last norm gives of a text's tokens, scaled to length one. It has a graph, a
 * session and a thread of its own, so that it costs those who generate no step. Any thread.
 */
final class Embedder implements AutoCloseable {
    /** Requests that may wait. */
    private static final int QUEUED = 64;

    private final Tokenizer tokenizer;
    private final int maxTokens;
    private final int vocabulary;
    private final HeadRunner runner;
    private final SequenceWorker worker;

    private Embedder(Tokenizer tokenizer, ModelFolder folder, HeadRunner runner) {
        this.tokenizer = tokenizer;
        maxTokens = folder.contextLength();
        vocabulary = folder.vocabularySize();
        this.runner = runner;
        worker = new SequenceWorker("weir-embed", runner::run, QUEUED);
    }

    /**
     * Loads the graph.
     *
     * @param folder with the graph for embeddings in place of the model
     * @param threads that compute; 0 for one per physical core
     * @throws dev.weir.onnx.ModelLoadException if the graph cannot be used
     */
    static Embedder open(ModelFolder folder, Tokenizer tokenizer, int threads) {
        return new Embedder(tokenizer, folder, HeadRunner.open(folder, ModelFolder.EMBEDDINGS_OUTPUT, 0, threads));
    }

    /** The thread that computes. */
    SequenceWorker worker() {
        return worker;
    }

    /** Refuses more numbers than there are. */
    void checkDimensions(@Nullable Integer dimensions) {
        if (dimensions != null && dimensions > runner.outputs()) {
            throw new ProtocolException(ApiError.invalid(
                    "integer_above_max_value",
                    "dimensions",
                    "dimensions is " + dimensions + " but the model's embeddings have " + runner.outputs()
                            + " numbers; ask for at most as many"));
        }
    }

    /** The tokens of each text. Takes time in proportion to their length. */
    List<int[]> sequences(List<Prompt> input) {
        List<int[]> sequences = new ArrayList<>(input.size());
        for (int i = 0; i < input.size(); i++) {
            String field = input.size() == 1 ? "input" : "input[" + i + "]";
            int[] tokens = switch (input.get(i)) {
                case Prompt.Text(String text) -> tokenizer.withFrame(tokenizer.encode(text));
                case Prompt.Tokens(int[] ids) -> checked(field, ids);
            };
            if (tokens.length == 0 || tokens.length > maxTokens) {
                throw new ProtocolException(ApiError.contextLengthExceeded(
                        field,
                        field + " has " + tokens.length + " tokens but must have from 1 to " + maxTokens
                                + ", which the model's context holds; "
                                + (tokens.length == 0 ? "send some text" : "shorten it")));
            }
            sequences.add(tokens);
        }
        return sequences;
    }

    private int[] checked(String field, int[] ids) {
        for (int id : ids) {
            if (id >= vocabulary) {
                throw new ProtocolException(ApiError.invalid(
                        "invalid_value",
                        field,
                        field + " has token " + id + " but the model's token ids go from 0 to " + (vocabulary - 1)));
            }
        }
        return ids;
    }

    /** What is answered of a mean: its first numbers, if not all are asked for, scaled to length one. */
    static float[] embedding(float[] mean, @Nullable Integer dimensions) {
        float[] kept = Arrays.copyOf(mean, dimensions == null ? mean.length : dimensions);
        double square = 0;
        for (float number : kept) {
            square += (double) number * number;
        }
        double length = square == 0 ? 1 : Math.sqrt(square);
        for (int i = 0; i < kept.length; i++) {
            kept[i] = (float) (kept[i] / length);
        }
        return kept;
    }

    @Override
    public void close() {
        worker.close();
        runner.close();
    }
}
