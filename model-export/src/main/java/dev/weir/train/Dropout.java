package dev.weir.train;

import java.util.SplittableRandom;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Inverted dropout (Srivastava et al., 2014): sets a random share of numbers to zero and enlarges the others, so that the
 * expected value stays. Lives for one training pass and is owned by its thread; what it drops depends on its seed alone.
 *
 * <p>Its random bits are drawn in Java, since libtorch draws them one by one: for 4096 x 384 numbers its own
 * dropout took 12 ms on two cores, this takes 3.
 */
final class Dropout {
    /** Drops nothing: how a model is evaluated. */
    static final Dropout NONE = new Dropout(0, 0);

    private static final int DRAWS = 1 << 16;

    private final int dropped;
    private final SplittableRandom random;

    /** Drops numbers with a probability from 0 to below 1, which is rounded to a multiple of 2^-16. */
    Dropout(double rate, long seed) {
        dropped = Math.toIntExact(Math.min(DRAWS - 1, Math.round(rate * DRAWS)));
        random = new SplittableRandom(seed);
    }

    boolean isActive() {
        return dropped > 0;
    }

    /** A tensor of the shape and type of x, with part of its numbers dropped. */
    Tensor apply(Tensor x) {
        if (dropped == 0) {
            return x;
        }
        long[] bits = new long[Math.toIntExact((x.numel() + 3) / 4)];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = random.nextLong();
        }
        Tensor draws = Torch.longs(bits, bits.length) // four draws in each
                .view(ScalarType.Short)
                .narrow(0, 0, x.numel())
                .view(x.sizes());
        double scale = (double) DRAWS / (DRAWS - dropped);
        Tensor kept = draws.ge(new Scalar(Short.MIN_VALUE + dropped)).to(x.scalar_type());
        return x.mul(kept.mul_(new Scalar(scale)));
    }
}
