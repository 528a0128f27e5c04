package dev.weir.train;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019) over the flat
 * tensors of {@link GptParameters}. Owned by the training thread.
 */
final class AdamW {
    private static final double EPSILON = 1e-8;

    private final GptParameters parameters;
    private final double beta1;
    private final double beta2;
    private final double weightDecay;
    private final Tensor mean; // [trained], running mean of the gradient
    private final Tensor variance; // [trained], running mean of its square
    private int step;

    AdamW(GptParameters parameters, double beta1, double beta2, double weightDecay) {
        this.parameters = parameters;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.weightDecay = weightDecay;
        mean = torch.zeros(parameters.gradients().numel());
        variance = torch.zeros(parameters.gradients().numel());
    }

    /** Moves the weights against the gradients that {@link GptParameters#gradients()} holds. */
    void step(double learningRate) {
        step++;
        double correction1 = 1 - Math.pow(beta1, step);
        double correction2 = 1 - Math.pow(beta2, step);
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            Tensor gradient = parameters.gradients();
            mean.lerp_(gradient, new Scalar(1 - beta1));
            variance.mul_(new Scalar(beta2)).addcmul_(gradient, gradient, new Scalar(1 - beta2));
            Tensor deviation =
                    variance.sqrt().div_(new Scalar(Math.sqrt(correction2))).add_(new Scalar(EPSILON));
            for (GptParameters.Span span : parameters.decayed()) {
                span.of(parameters.trained()).mul_(new Scalar(1 - learningRate * weightDecay));
            }
            parameters.trained().addcdiv_(mean, deviation, new Scalar(-learningRate / correction1));
        }
    }

    /** Scales the gradients down to a norm of {@code most} where they are longer; returns the norm before that. */
    double clip(double most) {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            double norm = parameters.gradients().norm().item_float();
            if (norm > most) {
                parameters.gradients().mul_(new Scalar(most / norm));
            }
            return norm;
        }
    }

    /** Forgets the gradients of the step before. */
    void zeroGradients() {
        try (PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            parameters.gradients().zero_();
        }
    }

    int steps() {
        return step;
    }

    Tensor mean() {
        return mean;
    }

    Tensor variance() {
        return variance;
    }

    /** Continues after that many steps with those moments. */
    void restore(int steps, float[] savedMean, float[] savedVariance) {
        Torch.write(savedMean, mean);
        Torch.write(savedVariance, variance);
        step = steps;
    }
}
