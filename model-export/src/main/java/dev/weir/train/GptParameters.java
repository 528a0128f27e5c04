package dev.weir.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * A model's weights in libtorch, ready to be trained or, with half the memory, to calculate with only. Owned by one thread.
 *
 * <p>All weights are views into one flat tensor, and all gradients into another. The optimizer, the clipping of gradients and
 * the resetting to zero are then a few operations over whole memory instead of a loop over hundreds of small tensors. Matrices
 * and embeddings, which weight decay pulls towards zero, come first; biases and layer norms, which it leaves alone, follow; what
 * is kept whole comes last, since nothing happens to it.
 *
 * <p>Weights may be kept as they are, by tensor or by part of one. A tensor that is kept whole has no gradient, which saves its
 * part of the backward pass and of the optimizer's memory; of one that is kept in part the gradient is dropped before it is used.
 */
final class GptParameters implements GptWeights {
    private final GptConfig config;
    private final Optional<TaskHead> head;
    private final Optional<Lora> lora;
    private final Map<String, Tensor> byName = new LinkedHashMap<>();
    private final Map<String, Span> spans = new LinkedHashMap<>();
    private final List<Span> decayed = new ArrayList<>();
    private final List<Span> kept = new ArrayList<>(); // parts of tensors that are trained otherwise
    private final Tensor values; // [parameters]
    private final Tensor trained; // [trained], the first part of the values
    private final Tensor gradients; // [trained]

    /** Neighbouring elements of a tensor seen flat: so many from the offset on. */
    record Span(long offset, long length) {
        /** Those elements of a flat tensor, as a view. */
        Tensor of(Tensor flat) {
            return flat.narrow(0, offset, length);
        }
    }

    /** Says which elements of a tensor are trained. */
    @FunctionalInterface
    interface Trained {
        Trained ALL = (name, elements) -> new Span(0, elements);
        Trained NONE = (name, elements) -> new Span(0, 0);
        /** What is learned beside the matrices, and nothing else. */
        Trained LORA = (name, elements) -> new Span(0, Lora.isName(name) ? elements : 0);

        Span of(String name, long elements);
    }

    /** A copy of weights, to be trained: all of them, or what is learned beside the matrices if there is such. */
    GptParameters(GptWeights initial) {
        this(initial, initial.lora().isPresent() ? Trained.LORA : Trained.ALL);
    }

    /** A copy of weights that has no gradients. */
    static GptParameters frozen(GptWeights weights) {
        return new GptParameters(weights, Trained.NONE);
    }

    /** A copy of weights, some of which are to be trained. */
    GptParameters(GptWeights initial, Trained choice) {
        config = initial.config();
        head = initial.head();
        lora = initial.lora();
        Map<String, long[]> shapes = initial.tensorShapes();
        long parameters =
                shapes.values().stream().mapToLong(GptConfig::elements).sum();
        values = torch.zeros(parameters);
        Predicate<Map.Entry<String, long[]>> isTrained =
                tensor -> choice.of(tensor.getKey(), GptConfig.elements(tensor.getValue())).length > 0;
        Predicate<Map.Entry<String, long[]>> isDecayed = tensor -> isDecayed(tensor.getValue());
        long learning = shapes.entrySet().stream()
                .filter(isTrained)
                .mapToLong(tensor -> GptConfig.elements(tensor.getValue()))
                .sum();
        trained = values.narrow(0, 0, learning);
        gradients = torch.zeros(learning);
        long offset = 0;
        for (Predicate<Map.Entry<String, long[]>> part :
                List.of(isTrained.and(isDecayed), isTrained.and(isDecayed.negate()), isTrained.negate())) {
            for (Map.Entry<String, long[]> entry : shapes.entrySet()) {
                if (part.test(entry)) {
                    offset = add(entry.getKey(), entry.getValue(), offset, initial, choice);
                }
            }
        }
    }

    private static boolean isDecayed(long[] shape) {
        return shape.length > 1;
    }

    private long add(String name, long[] shape, long offset, GptWeights initial, Trained choice) {
        long elements = GptConfig.elements(shape);
        Span part = choice.of(name, elements);
        if (part.length > 0) {
            long end = part.offset + part.length;
            addSpan(kept, offset, part.offset);
            addSpan(kept, offset + end, elements - end);
            if (isDecayed(shape)) {
                addSpan(decayed, offset + part.offset, part.length);
            }
        }
        spans.put(name, new Span(offset, elements));
        try (PointerScope _ = new PointerScope()) {
            Tensor leaf = values.narrow(0, offset, elements).view(shape).detach();
            Torch.write(initial.tensor(name), leaf);
            if (part.length > 0) {
                leaf.requires_grad_(true);
                // A gradient that is already there is added to in place, so that it stays a view of the flat one.
                leaf.mutable_grad().put(gradients.narrow(0, offset, elements).view(shape));
            }
            leaf.retainReference();
            byName.put(name, leaf);
            return offset + elements;
        }
    }

    /** Adds elements to a list, to its last entry where they follow that. */
    private static void addSpan(List<Span> spans, long offset, long length) {
        if (length == 0) {
            return;
        }
        if (!spans.isEmpty() && spans.getLast().offset + spans.getLast().length == offset) {
            Span before = spans.removeLast();
            spans.add(new Span(before.offset, before.length + length));
        } else {
            spans.add(new Span(offset, length));
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

    /** The weights that a gradient belongs to, the first of {@link #values()}; [trained]. */
    Tensor trained() {
        return trained;
    }

    /** Every gradient, in the order of {@link #trained()}; [trained]. */
    Tensor gradients() {
        return gradients;
    }

    /** Where a tensor lies in {@link #values()}. */
    Span span(String name) {
        Span span = spans.get(name);
        if (span == null) {
            throw new IllegalArgumentException("this model has no tensor \"" + name + "\"");
        }
        return span;
    }

    /** The parts of {@link #trained()} that weight decay applies to. */
    List<Span> decayed() {
        return List.copyOf(decayed);
    }

    /** Forgets the gradients of what is to stay as it is. */
    void dropKeptGradients() {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            for (Span span : kept) {
                span.of(gradients).zero_();
            }
        }
    }

    @Override
    public GptConfig config() {
        return config;
    }

    @Override
    public Optional<TaskHead> head() {
        return head;
    }

    @Override
    public Optional<Lora> lora() {
        return lora;
    }

    @Override
    public float[] tensor(String name) {
        return Torch.read(get(name));
    }
}
