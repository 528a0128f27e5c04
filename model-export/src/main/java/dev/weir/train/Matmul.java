package dev.weir.train;

import java.util.Locale;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/** In which numbers a training pass multiplies matrices. Weights, their gradients, norms and the loss are float32 in both. */
enum Matmul {
    /** As the model is evaluated and exported. */
    FP32,
    /**
     * The factors and products of matrix products are bfloat16, added up in float32: mixed-precision training (Micikevicius et
     * al., 2018; Kalamkar et al., 2019 for bfloat16, which needs no scaling of the loss). Several times faster where the
     * processor has instructions for it.
     */
    BF16;

    private static final int PROBE_ROWS = 1024;
    private static final int PROBE_WIDTH = 512;
    private static final int PROBE_ROUNDS = 20;
    private static final long PROBE_NANOS = 500_000_000;

    /** The name on the command line. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The one that a command line names.
     *
     * @throws UserError if it names none
     */
    static Matmul named(String label) {
        for (Matmul matmul : values()) {
            if (matmul.label().equals(label)) {
                return matmul;
            }
        }
        throw new UserError("--matmul is \"" + label + "\": choose auto, fp32 or bf16");
    }

    /**
     * The faster of the two on this processor with the threads that libtorch was given: times both in turn, for half a second,
     * and compares their best, which other work on the machine disturbs least.
     */
    static Matmul fastest() {
        try (PointerScope _ = new PointerScope()) {
            Tensor x = torch.ones(new long[] {PROBE_ROWS, PROBE_WIDTH}, new TensorOptions(ScalarType.Float));
            Tensor w = torch.ones(new long[] {PROBE_WIDTH, PROBE_WIDTH}, new TensorOptions(ScalarType.Float));
            Tensor narrowW = w.to(ScalarType.BFloat16);
            long exact = Long.MAX_VALUE;
            long reduced = Long.MAX_VALUE;
            long end = System.nanoTime() + PROBE_NANOS;
            for (int round = 0; round < PROBE_ROUNDS || System.nanoTime() - end < 0; round++) {
                exact = Math.min(exact, nanos(() -> torch.mm(x, w)));
                reduced = Math.min(
                        reduced,
                        nanos(() -> torch.mm(x.to(ScalarType.BFloat16), narrowW).to(ScalarType.Float)));
            }
            return reduced < exact ? BF16 : FP32;
        }
    }

    private static long nanos(Supplier<Tensor> product) {
        try (PointerScope _ = new PointerScope()) {
            long started = System.nanoTime();
            var _ = product.get();
            return System.nanoTime() - started;
        }
    }
}
