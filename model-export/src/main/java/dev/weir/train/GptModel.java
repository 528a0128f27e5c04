package dev.weir.train;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * A GPT's forward pass in libtorch. Owned by the thread of its {@link GptParameters}; every call leaves tensors to the caller's
 * {@code PointerScope}.
 *
 * <p>Shapes: B sequences, T tokens, d width, H heads, s = d / H head size, V vocabulary. Dropout acts where GPT-1
 * and GPT-2 have it: on the embeddings, on attention weights and on what attention and MLP add to the residual stream.
 */
final class GptModel {
    /**
     * Most attention weights of a layer that are held at once, 128 MB of them in float32. Up to there, plain matrix products are
     * faster on a processor than libtorch's fused kernel.
     */
    private static final long MOST_WEIGHTS = 1L << 25;

    private final GptParameters parameters;
    private final GptConfig config;
    private final Matmul matmul;

    /** A model that calculates in float32. */
    GptModel(GptParameters parameters) {
        this(parameters, Matmul.FP32);
    }

    GptModel(GptParameters parameters, Matmul matmul) {
        this.parameters = parameters;
        this.matmul = matmul;
        config = parameters.config();
    }

    GptConfig config() {
        return config;
    }

    GptParameters parameters() {
        return parameters;
    }

    /** Mean cross-entropy in nats of a batch's targets. */
    Tensor loss(TokenBatch batch, Dropout dropout) {
        Tensor ids = Torch.longs(batch.ids(), batch.blocks(), batch.length());
        if (batch.places().length == 0) {
            return loss(ids, Torch.longs(batch.targets(), batch.blocks(), batch.length()), dropout);
        }
        Tensor places = Torch.longs(batch.places(), batch.places().length);
        return loss(ids, places, Torch.longs(batch.targets(), batch.targets().length), dropout);
    }

    /** Mean cross-entropy in nats of the targets [B, T] given the ids before them, ids [B, T]. */
    Tensor loss(Tensor ids, Tensor targets, Dropout dropout) {
        Tensor logits = forward(ids, dropout); // [B, T, V]
        return torch.cross_entropy_loss(logits.view(-1, config.vocabularySize()), targets.view(-1));
    }

    /** Mean cross-entropy in nats of N targets given ids [B, T], each after one of N places among the B T tokens. */
    Tensor loss(Tensor ids, Tensor places, Tensor targets, Dropout dropout) {
        return torch.cross_entropy_loss(logits(hidden(ids, dropout).index_select(0, places)), targets);
    }

    /** Logits [B, T, V] of the token after each of ids [B, T]; T is at most the context. */
    Tensor forward(Tensor ids, Dropout dropout) {
        return logits(hidden(ids, dropout)).view(ids.size(0), ids.size(1), config.vocabularySize());
    }

    /** What the last block says of each of ids [B, T], after the last norm; [B T, d]. */
    Tensor hidden(Tensor ids, Dropout dropout) {
        long batch = ids.size(0);
        long tokens = ids.size(1);
        Tensor table = parameters.get(config.family().tokenEmbedding()); // [V, d]
        Tensor positions = parameters.get(config.family().positionEmbedding()).narrow(0, 0, tokens); // [T, d]
        Tensor x = torch.embedding(table, ids).add(positions); // [B, T, d]
        x = dropout.apply(x).view(batch * tokens, config.width()); // [B T, d]
        for (int layer = 0; layer < config.layers(); layer++) {
            String block = "h." + layer + ".";
            boolean banded = config.isBanded(layer);
            x = sublayer(
                    x, block + "ln_1", in -> attention(in, block + "attn.", batch, tokens, banded, dropout), dropout);
            x = sublayer(x, block + "ln_2", in -> mlp(in, block + "mlp."), dropout);
        }
        return config.family().isPostNorm() ? x : norm(x, "ln_f");
    }

    /** Logits [N, V] of the token after each of N, from what {@link #hidden} says of them, [N, d]. */
    Tensor logits(Tensor x) {
        Tensor table = parameters.get(config.family().tokenEmbedding()); // [V, d]
        Tensor logits = torch.matmul(factor(x), factor(table).t()).to(ScalarType.Float); // tied to the embedding
        if (config.outputBias()) {
            logits = logits.add(parameters.get(GptConfig.OUTPUT_BIAS));
        }
        return logits;
    }

    /** What attention or an MLP adds to the residual stream x, [B T, d], and the norm before or after it. */
    private Tensor sublayer(Tensor x, String norm, UnaryOperator<Tensor> computation, Dropout dropout) {
        if (config.family().isPostNorm()) {
            return norm(x.add(dropout.apply(computation.apply(x))), norm);
        }
        return x.add(dropout.apply(computation.apply(norm(x, norm))));
    }

    private Tensor mlp(Tensor x, String name) {
        Tensor hidden = torch.gelu(linear(x, name + "c_fc"), "tanh"); // [B T, 4 d]
        return linear(hidden, name + "c_proj");
    }

    /** Causal multi-head self-attention; x and the result are [B T, d]. */
    private Tensor attention(Tensor x, String name, long batch, long tokens, boolean banded, Dropout dropout) {
        Tensor qkv = linear(x, name + "c_attn").view(batch, tokens, 3L * config.width()); // [B, T, 3 d]
        TensorVector parts = qkv.split(config.width(), 2);
        Tensor q = heads(parts.get(0), batch, tokens);
        Tensor k = heads(parts.get(1), batch, tokens);
        Tensor v = heads(parts.get(2), batch, tokens);
        boolean masked = banded && tokens > config.window();
        boolean fits = batch * config.heads() * tokens * tokens <= MOST_WEIGHTS;
        boolean isPlain = fits || matmul == Matmul.BF16 || dropout.isActive(); // the fused kernel drops no weights
        Tensor mixed = isPlain ? attend(q, k, v, masked, dropout) : fusedAttend(q, k, v, masked); // [B, H, T, s]
        Tensor joined = mixed.transpose(1, 2).reshape(batch * tokens, config.width());
        return linear(joined, name + "c_proj");
    }

    /** Never holds all attention weights at once, which long contexts need. */
    private Tensor fusedAttend(Tensor q, Tensor k, Tensor v, boolean masked) {
        return torch.scaled_dot_product_attention(
                q,
                k,
                v,
                masked ? new TensorOptional(seen(q.size(2), true)) : new TensorOptional(),
                0.0,
                !masked,
                new DoubleOptional(),
                false);
    }

    /** Holds all attention weights, between plain matrix products; q, k, v and the result are [B, H, T, s]. */
    Tensor attend(Tensor q, Tensor k, Tensor v, boolean masked, Dropout dropout) {
        Tensor unseen = torch.zeros(new long[] {q.size(2), q.size(2)}, new TensorOptions(q.scalar_type()));
        unseen.masked_fill_(seen(q.size(2), masked).logical_not(), new Scalar(Double.NEGATIVE_INFINITY));
        Tensor scaled = q.mul(new Scalar(1 / Math.sqrt(config.headSize())));
        Tensor weights = torch.matmul(scaled, k.transpose(2, 3)).add_(unseen).softmax(-1); // [B, H, T, T]
        return torch.matmul(dropout.apply(weights), v);
    }

    /** Which tokens each token sees: itself and those before it, in a banded layer only the nearest; [T, T]. */
    private Tensor seen(long tokens, boolean masked) {
        Tensor all = torch.ones(new long[] {tokens, tokens}, new TensorOptions(ScalarType.Bool));
        Tensor causal = all.tril(0);
        return masked ? causal.triu(1L - config.window()) : causal;
    }

    /** [B, T, d] seen as [B, H, T, s]. */
    private Tensor heads(Tensor x, long batch, long tokens) {
        return x.view(batch, tokens, config.heads(), config.headSize()).transpose(1, 2);
    }

    /** x W + b; x is [B T, in], W [in, out], b [out]; with A [in, r] and B [r, out] beside W, x A B scaled is added. */
    private Tensor linear(Tensor x, String name) {
        Tensor in = factor(x);
        Tensor out = torch.addmm(factor(parameters.get(name + ".bias")), in, factor(parameters.get(name + ".weight")));
        if (parameters.lora().isEmpty()) {
            return out;
        }
        Tensor low = torch.mm(in, factor(parameters.get(Lora.a(name)))); // [B T, r]
        Scalar scale = new Scalar(parameters.lora().get().scale());
        return torch.addmm(out, low, factor(parameters.get(Lora.b(name))), new Scalar(1.0), scale);
    }

    private Tensor norm(Tensor x, String name) {
        return torch.layer_norm(
                x,
                new long[] {config.width()},
                new TensorOptional(parameters.get(name + ".weight")),
                new TensorOptional(parameters.get(name + ".bias")),
                GptConfig.LAYER_NORM_EPSILON,
                true);
    }

    /** The tensor in the numbers that matrices are multiplied in. */
    private Tensor factor(Tensor x) {
        return matmul == Matmul.BF16 ? x.to(ScalarType.BFloat16) : x;
    }
}
