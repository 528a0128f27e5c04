package dev.weir.train;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** A checkpoint's weights in libtorch, in full float32. Used by one thread. */
final class LibtorchScorer implements Scorer {
    /** Most logits of one forward pass, 256 MB of them. */
    private static final int MOST_LOGITS = 1 << 26;
    /** Marks a target that is not scored. */
    private static final long IGNORED = -100;
    /** A loss for each target instead of their mean. */
    private static final long NO_REDUCTION = 0;

    private final GptModel model;
    private final int mostWindows;

    /**
     * Copies the weights.
     *
     * @param parallel most windows in one forward pass; fewer if their logits would take much memory
     * @param threads that calculate; 0 for all that libtorch finds
     */
    LibtorchScorer(GptWeights weights, int parallel, int threads) {
        this(new GptModel(GptParameters.frozen(weights)), parallel);
        if (threads != 0) {
            Torch.configure(threads);
        }
    }

    /** Scores with a model whose weights may change between two calls. */
    LibtorchScorer(GptModel model, int parallel) {
        this.model = model;
        mostWindows = parallel;
    }

    GptModel model() {
        return model;
    }

    @Override
    public int context() {
        return model.config().context();
    }

    @Override
    public int vocabularySize() {
        return model.config().vocabularySize();
    }

    @Override
    public double[] score(List<Window> windows) {
        double[] scores = new double[windows.size()];
        // Windows of a length together, since the shorter of a pass are padded.
        int[] longestFirst = IntStream.range(0, windows.size())
                .boxed()
                .sorted(Comparator.comparingInt(i -> -windows.get(i).tokens().length))
                .mapToInt(Integer::intValue)
                .toArray();
        int first = 0;
        while (first < longestFirst.length) {
            int length = windows.get(longestFirst[first]).tokens().length - 1;
            int fitting = Math.max(1, MOST_LOGITS / vocabularySize() / length);
            int end = Math.min(longestFirst.length, first + Math.min(mostWindows, fitting));
            score(windows, Arrays.copyOfRange(longestFirst, first, end), length, scores);
            first = end;
        }
        return scores;
    }

    /** One forward pass; what pads a window comes after it, where nothing of it looks. */
    private void score(List<Window> windows, int[] batch, int length, double[] scores) {
        long[] ids = new long[batch.length * length];
        long[] targets = new long[ids.length];
        Arrays.fill(targets, IGNORED);
        for (int row = 0; row < batch.length; row++) {
            Window window = windows.get(batch[row]);
            for (int i = 0; i + 1 < window.tokens().length; i++) {
                ids[row * length + i] = window.tokens()[i];
                if (i + 1 >= window.from()) {
                    targets[row * length + i] = window.tokens()[i + 1];
                }
            }
        }
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor logits = model.forward(Torch.longs(ids, batch.length, length), Dropout.NONE); // [B, T, V]
            Tensor losses = torch.cross_entropy_loss(
                    logits.view(-1, vocabularySize()),
                    Torch.longs(targets, targets.length),
                    new TensorOptional(),
                    NO_REDUCTION,
                    IGNORED,
                    0.0); // [B T]
            float[] values = Torch.read(losses);
            for (int i = 0; i < values.length; i++) {
                scores[batch[i / length]] -= values[i];
            }
        }
    }

    @Override
    public void close() {
        // The weights go with the object: libtorch's memory belongs to the garbage collector.
    }
}
