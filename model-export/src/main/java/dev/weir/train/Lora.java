package dev.weir.train;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Low-rank adaptation (Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021, arXiv:2106.09685): a model's
 * matrices {@code W [in, out]} stay as they are, and beside each learn two small ones, {@code A [in, rank]} and {@code B [rank,
 * out]}, of which the layer adds {@code x A B alpha / rank}. Immutable; any thread.
 *
 * <p>They stand beside all four matrices of each block, which Dettmers et al. ("QLoRA", 2023) found necessary to match training
 * all weights; the paper itself had them in attention alone.
 *
 * @param rank columns of A
 * @param alpha by which, over the rank, the product counts: so that another rank does not ask for another learning rate
 * @param base the folder of the weights that stay
 * @param baseSha256 digest of those weights
 * @param firstNew id of the first token that is new to the base; its row of the token embedding learns
 * @param endNew one more than that of the last; the first where none is new
 */
record Lora(int rank, double alpha, String base, String baseSha256, int firstNew, int endNew) {
    private static final List<String> MATRICES = List.of("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj");
    private static final String A = ".lora_a";
    private static final String B = ".lora_b";

    Lora {
        OptionChecks.atLeastOne("--lora-rank", rank);
        OptionChecks.positive("--lora-alpha", alpha);
        if (Double.isInfinite(alpha)) {
            throw new UserError("--lora-alpha is " + alpha + ": it must be a number");
        }
    }

    /** Beside weights that bring no new tokens. */
    Lora(int rank, double alpha, String base, GptWeights weights) {
        this(rank, alpha, base, digest(weights), 0, 0);
        if (rank > weights.config().width()) {
            throw new UserError("--lora-rank is " + rank + ": it must be at most the model's width, "
                    + weights.config().width() + ", from where on nothing is saved");
        }
    }

    Lora withNewTokens(int first, int end) {
        return new Lora(rank, alpha, base, baseSha256, first, end);
    }

    /** What the product of A and B is multiplied with. */
    double scale() {
        return alpha / rank;
    }

    /** Name of the A beside a matrix. */
    static String a(String matrix) {
        return matrix + A;
    }

    /** Name of the B beside a matrix. */
    static String b(String matrix) {
        return matrix + B;
    }

    static boolean isA(String tensor) {
        return tensor.endsWith(A);
    }

    static boolean isName(String tensor) {
        return isA(tensor) || tensor.endsWith(B);
    }

    /** The matrices that A and B stand beside, without their {@code .weight}, and their shapes, [in, out]. */
    static SequencedMap<String, long[]> matrices(GptConfig config) {
        Map<String, long[]> shapes = config.tensorShapes();
        SequencedMap<String, long[]> matrices = new LinkedHashMap<>();
        for (int layer = 0; layer < config.layers(); layer++) {
            for (String matrix : MATRICES) {
                String name = "h." + layer + "." + matrix;
                matrices.put(name, shapes.get(name + ".weight"));
            }
        }
        return matrices;
    }

    /** The names of all A and B in a model, with their shapes. */
    SequencedMap<String, long[]> tensorShapes(GptConfig config) {
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        matrices(config).forEach((name, shape) -> {
            shapes.put(a(name), new long[] {shape[0], rank});
            shapes.put(b(name), new long[] {rank, shape[1]});
        });
        return shapes;
    }

    /** The same model without A and B, their products added to the matrices. */
    static GptWeights merged(GptWeights weights) {
        if (weights.lora().isEmpty()) {
            return weights;
        }
        Lora lora = weights.lora().get();
        Map<String, long[]> matrices = matrices(weights.config());
        return GptWeights.of(weights.config(), weights.head(), name -> {
            float[] values = weights.tensor(name);
            String matrix = name.replaceFirst("\\.weight$", "");
            long[] shape = matrices.get(matrix);
            if (shape != null) {
                lora.change(weights, matrix, shape).addTo(values);
            }
            return values;
        });
    }

    private LowRank change(GptWeights weights, String matrix, long[] shape) {
        float[] b = weights.tensor(b(matrix));
        for (int i = 0; i < b.length; i++) {
            b[i] = (float) (b[i] * scale());
        }
        return new LowRank((int) shape[0], (int) shape[1], rank, weights.tensor(a(matrix)), b);
    }

    /** By which the language model's weights are known again, whatever file and precision they come from. */
    static String digest(GptWeights weights) {
        MessageDigest digest = Sha256.digest();
        ByteBuffer bytes = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
        for (String name : weights.config().tensorShapes().keySet()) {
            digest.update(name.getBytes(StandardCharsets.UTF_8));
            float[] values = weights.tensor(name);
            int room = bytes.capacity() / Float.BYTES;
            for (int done = 0; done < values.length; done += room) {
                int length = Math.min(room, values.length - done);
                bytes.clear();
                bytes.asFloatBuffer().put(values, done, length);
                digest.update(bytes.limit(length * Float.BYTES));
            }
        }
        return Sha256.hex(digest);
    }
}
