package dev.weir.train;

import java.util.Optional;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/**
 * What libtorch's model says for given weights: the reference that exports are held against. One thread at a time.
 */
final class LibtorchLogits implements ReferenceModel {
    private final GptModel model;

    /** Copies the weights into libtorch and has it calculate in full float32. */
    LibtorchLogits(GptWeights weights) {
        model = new GptModel(GptParameters.frozen(weights));
    }

    /** Takes other weights of the same shape, in the place of those before. */
    void replace(GptWeights weights) {
        GptParameters parameters = model.parameters();
        for (String name : parameters.tensorShapes().keySet()) {
            Torch.write(weights.tensor(name), parameters.get(name));
        }
    }

    @Override
    public Optional<HeadedModel> headed() {
        return model.parameters().head().map(_ -> new TaskModel(model));
    }

    /**
     * Logits after each of the ids, one row of the vocabulary's size per id.
     *
     * @throws IllegalArgumentException if there are no ids or more than the context
     */
    @Override
    public float[][] logits(int[] ids) {
        GptConfig config = model.config();
        if (ids.length < 1 || ids.length > config.context()) {
            throw new IllegalArgumentException(
                    "there are " + ids.length + " token ids: give from 1 to the context, " + config.context());
        }
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] < 0 || ids[i] >= config.vocabularySize()) {
                throw new IllegalArgumentException(
                        "token id " + ids[i] + " is outside the vocabulary of " + config.vocabularySize());
            }
            wide[i] = ids[i];
        }
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor logits = model.forward(Torch.longs(wide, 1, ids.length), Dropout.NONE); // [1, T, V]
            float[] flat = Torch.read(logits.contiguous());
            float[][] rows = new float[ids.length][config.vocabularySize()];
            for (int t = 0; t < rows.length; t++) {
                System.arraycopy(flat, t * config.vocabularySize(), rows[t], 0, config.vocabularySize());
            }
            return rows;
        }
    }
}
