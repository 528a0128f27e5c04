package dev.weir.train;

import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A model's weights in libtorch, ready to be trained or, with half the memory, to calculate with only. Owned by one thread.
 *
 * <p>All weights are views into one flat tensor, and all gradients into another. The optimizer, the clipping of gradients and
 * the resetting to zero are then a few operations over whole memory instead of a loop over hundreds of small tensors. Matrices
 * and embeddings, which weight decay pulls towards zero, come first; biases and layer norms, which it leaves alone, follow.
 */
final class GptParameters implements GptWeights {
    private final GptConfig config;
    private final Map<String, Tensor> byName = new LinkedHashMap<>();
    private final Tensor values; // [parameters]
    private final Tensor gradients; // [parameters], or [0] if nothing is to be trained
    private final long decayed;

    /** A copy of weights, to be trained. */
    GptParameters(GptWeights initial) {
        this(initial, true);
    }

    /** A copy of weights that has no gradients. */
    static GptParameters frozen(GptWeights weights) {
        return new GptParameters(weights, false);
    }

    private GptParameters(GptWeights initial, boolean trained) {
        config = initial.config();
        values = torch.zeros(config.parameters());
        gradients = torch.zeros(trained ? config.parameters() : 0);
        Map<String, long[]> shapes = config.tensorShapes();
        long offset = 0;
        for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
            if (isDecayed(entry.getValue())) {
                offset = add(entry.getKey(), entry.getValue(), offset, initial);
            }
        }
        decayed = offset;
        for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
            if (!isDecayed(entry.getValue())) {
                offset = add(entry.getKey(), entry.getValue(), offset, initial);
            }
        }
    }

    private static boolean isDecayed(long[] shape) {
        return shape.length > 1;
    }

    private long add(String name, long[] shape, long offset, GptWeights initial) {
        try (PointerScope _ = new PointerScope()) {
            long elements = GptConfig.elements(shape);
            Tensor leaf = values.narrow(0, offset, elements).view(shape).detach();
            Torch.write(initial.tensor(name), leaf);
            if (gradients.numel() > 0) {
                leaf.requires_grad_(true);
                // A gradient that is already there is added to in place, so that it stays a view of the flat one.
                leaf.mutable_grad().put(gradients.narrow(0, offset, elements).view(shape));
            }
            leaf.retainReference();
            byName.put(name, leaf);
            return offset + elements;
        }
    }

    /** The trainable tensor of that name. */
    Tensor get(String name) {
        Tensor tensor = byName.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        return tensor;
    }

    /** Every weight; [parameters]. */
    Tensor values() {
        return values;
    }

    /** Every gradient, in the order of {@link #values()}; [parameters]. */
    Tensor gradients() {
        return gradients;
    }

    /** How many of {@link #values()}, from the first on, weight decay applies to. */
    long decayed() {
        return decayed;
    }

    @Override
    public GptConfig config() {
        return config;
    }

    @Override
    public float[] tensor(String name) {
        return Torch.read(get(name));
    }
}
