package dev.weir.train;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The pull of weights towards where they began (Li, Grandvalet and Davoine, "Explicit Inductive Bias for Transfer Learning with
 * Convolutional Networks", 2018): a loss of {@code alpha / 2 |w - w0|^2}, where {@code w0} is the pre-trained weight, or zero
 * for what a task has added. Owned by the training thread.
 */
final class L2Sp {
    private final GptParameters parameters;
    private final double alpha;
    private final Tensor origin; // [trained]

    /** A pull of weights that are as they were at the start. */
    L2Sp(GptParameters parameters, TaskWeights start, double alpha) {
        this.parameters = parameters;
        this.alpha = alpha;
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            origin = parameters.trained().clone();
            for (String name : start.tensorShapes().keySet()) {
                GptParameters.Span whole = parameters.span(name);
                GptParameters.Span added = start.added(name, whole.length());
                if (added.length() > 0) {
                    new GptParameters.Span(whole.offset() + added.offset(), added.length())
                            .of(origin)
                            .zero_();
                }
            }
            origin.retainReference();
        }
    }

    /** Adds its gradient to those of the weights; returns its loss. */
    double addGradient() {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor distance = parameters.trained().sub(origin);
            parameters.gradients().add_(distance, new Scalar(alpha));
            double length = distance.norm().item_float();
            return alpha / 2 * length * length;
        }
    }
}
