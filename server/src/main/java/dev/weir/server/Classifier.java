package dev.weir.server;

import dev.weir.onnx.FolderTask;
import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import dev.weir.protocol.ApiError;
import dev.weir.protocol.Classified;
import dev.weir.protocol.ProtocolException;
import dev.weir.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * The head of a fine-tuned model, asked of texts. It has a session and a thread of its own, so that it costs those who
 * generate no step; the weights are loaded a second time. Any thread.
 */
final class Classifier implements AutoCloseable {
    /** Requests that may wait. */
    private static final int QUEUED = 64;

    /** What Hugging Face's models call an output without a name. */
    private static final String NAMELESS = "LABEL_0";

    private final FolderTask task;
    private final Tokenizer tokenizer;
    private final int start;
    private final int extract;
    private final int maxTokens;
    private final HeadRunner head;
    private final SequenceWorker worker;

    private Classifier(FolderTask task, Tokenizer tokenizer, int start, int extract, int maxTokens, HeadRunner head) {
        this.task = task;
        this.tokenizer = tokenizer;
        this.start = start;
        this.extract = extract;
        this.maxTokens = maxTokens;
        this.head = head;
        worker = new SequenceWorker("weir-classify", head::run, QUEUED);
    }

    /**
     * Loads the head of a model.
     *
     * @param threads that compute; 0 for one per physical core
     * @throws dev.weir.onnx.ModelLoadException if the graph cannot be used
     * @throws IllegalArgumentException if the folder's files do not go together
     */
    static Classifier open(ModelFolder folder, FolderTask task, Tokenizer tokenizer, int threads) {
        int start = token(folder, tokenizer, FolderTask.START);
        int extract = token(folder, tokenizer, FolderTask.EXTRACT);
        HeadRunner head = HeadRunner.open(folder, FolderTask.OUTPUT, 0, threads);
        if (head.outputs() != Math.max(1, task.labels().size())) {
            int outputs = head.outputs();
            head.close();
            throw new IllegalArgumentException("config.json of the model " + folder.name() + " names "
                    + task.labels().size() + " labels, but its graph's output " + FolderTask.OUTPUT + " has " + outputs
                    + " numbers: take both from the same export");
        }
        return new Classifier(task, tokenizer, start, extract, folder.contextLength(), head);
    }

    private static int token(ModelFolder folder, Tokenizer tokenizer, String name) {
        return tokenizer
                .id(name)
                .orElseThrow(() -> new IllegalArgumentException("the tokenizer of the model " + folder.name()
                        + " has no token " + name
                        + ", which a fine-tuned model's has: take it from the folder that finetune wrote"));
    }

    /** The thread that computes. */
    SequenceWorker worker() {
        return worker;
    }

    /** The sequences of texts, of which the head is asked. Takes time in proportion to their length. */
    List<int[]> sequences(List<String> texts) {
        List<int[]> sequences = new ArrayList<>(texts.size());
        for (int i = 0; i < texts.size(); i++) {
            int[] text = tokenizer.encode(texts.get(i));
            if (text.length > maxTokens - 2) {
                String field = texts.size() == 1 ? "input" : "input[" + i + "]";
                throw new ProtocolException(ApiError.contextLengthExceeded(
                        field,
                        field + " has " + text.length + " tokens but the model's context holds " + (maxTokens - 2)
                                + " beside the two that frame a text; shorten it"));
            }
            int[] sequence = new int[text.length + 2];
            sequence[0] = start;
            System.arraycopy(text, 0, sequence, 1, text.length);
            sequence[sequence.length - 1] = extract;
            sequences.add(sequence);
        }
        return sequences;
    }

    /** What the head's numbers mean. */
    Classified classified(float[] said) {
        if (task.labels().isEmpty()) {
            return new Classified(NAMELESS, said);
        }
        int best = 0;
        for (int i = 1; i < said.length; i++) {
            best = said[i] > said[best] ? i : best;
        }
        double sum = 0;
        for (float logit : said) {
            sum += Math.exp((double) logit - said[best]);
        }
        float[] probs = new float[said.length];
        for (int i = 0; i < probs.length; i++) {
            probs[i] = (float) (Math.exp((double) said[i] - said[best]) / sum);
        }
        return new Classified(task.labels().get(best), probs);
    }

    @Override
    public void close() {
        worker.close();
        head.close();
    }
}
