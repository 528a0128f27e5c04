package dev.weir.train;

import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.DoubleOptional;
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
 * <p>Shapes: B sequences, T tokens, d width, H heads, s = d / H head size, V vocabulary. Dropout acts where GPTs have it on
 * the embeddings and on what each block adds to the residual stream; attention weights are not dropped, since the fused causal
 * attention of libtorch's CPU build never materialises them.
 */
final class GptModel {
    private final GptParameters parameters;
    private final GptConfig config;

    GptModel(GptParameters parameters) {
        this.parameters = parameters;
        config = parameters.config();
    }

    GptConfig config() {
        return config;
    }

    /** Mean cross-entropy in nats of the targets [B, T] given the ids before them, ids [B, T]. */
    Tensor loss(Tensor ids, Tensor targets, boolean training) {
        Tensor logits = forward(ids, training); // [B, T, V]
        return torch.cross_entropy_loss(logits.view(-1, config.vocabularySize()), targets.view(-1));
    }

    /** Logits [B, T, V] of the token after each of ids [B, T]; T is at most the context. */
    Tensor forward(Tensor ids, boolean training) {
        long batch = ids.size(0);
        long tokens = ids.size(1);
        Tensor table = parameters.get(config.family().tokenEmbedding()); // [V, d]
        Tensor positions = parameters.get(config.family().positionEmbedding()).narrow(0, 0, tokens); // [T, d]
        Tensor x = torch.embedding(table, ids).add(positions); // [B, T, d]
        x = dropout(x, training).view(batch * tokens, config.width()); // [B T, d]
        for (int layer = 0; layer < config.layers(); layer++) {
            String block = "h." + layer + ".";
            boolean banded = config.isBanded(layer);
            x = sublayer(x, block + "ln_1", in -> attention(in, block + "attn.", batch, tokens, banded), training);
            x = sublayer(x, block + "ln_2", in -> mlp(in, block + "mlp."), training);
        }
        if (!config.family().isPostNorm()) {
            x = norm(x, "ln_f");
        }
        Tensor head = table.t(); // [d, V], tied to the embedding
        Tensor logits = config.outputBias()
                ? torch.addmm(parameters.get(GptConfig.OUTPUT_BIAS), x, head)
                : torch.matmul(x, head);
        return logits.view(batch, tokens, config.vocabularySize());
    }

    /** What attention or an MLP adds to the residual stream x, [B T, d], and the norm before or after it. */
    private Tensor sublayer(Tensor x, String norm, UnaryOperator<Tensor> computation, boolean training) {
        if (config.family().isPostNorm()) {
            return norm(x.add(dropout(computation.apply(x), training)), norm);
        }
        return x.add(dropout(computation.apply(norm(x, norm)), training));
    }

    private Tensor mlp(Tensor x, String name) {
        Tensor hidden = torch.gelu(linear(x, name + "c_fc"), "tanh"); // [B T, 4 d]
        return linear(hidden, name + "c_proj");
    }

    /** Causal multi-head self-attention; x and the result are [B T, d]. */
    private Tensor attention(Tensor x, String name, long batch, long tokens, boolean banded) {
        boolean masked = banded && tokens > config.window();
        Tensor qkv = linear(x, name + "c_attn").view(batch, tokens, 3L * config.width()); // [B, T, 3 d]
        TensorVector parts = qkv.split(config.width(), 2);
        Tensor mixed = torch.scaled_dot_product_attention(
                heads(parts.get(0), batch, tokens),
                heads(parts.get(1), batch, tokens),
                heads(parts.get(2), batch, tokens),
                masked ? new TensorOptional(band(tokens)) : new TensorOptional(),
                0.0,
                !masked,
                new DoubleOptional(),
                false); // [B, H, T, s]
        Tensor joined = mixed.transpose(1, 2).reshape(batch * tokens, config.width());
        return linear(joined, name + "c_proj");
    }

    /** Which tokens each token sees in a banded layer: itself and those just before it; [T, T]. */
    private Tensor band(long tokens) {
        Tensor all = torch.ones(new long[] {tokens, tokens}, new TensorOptions(ScalarType.Bool));
        return all.tril(0).triu(1L - config.window());
    }

    /** [B, T, d] seen as [B, H, T, s]. */
    private Tensor heads(Tensor x, long batch, long tokens) {
        return x.view(batch, tokens, config.heads(), config.headSize()).transpose(1, 2);
    }

    /** x W + b; x is [B T, in], W [in, out], b [out]. */
    private Tensor linear(Tensor x, String name) {
        return torch.addmm(parameters.get(name + ".bias"), x, parameters.get(name + ".weight"));
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

    private Tensor dropout(Tensor x, boolean training) {
        return training && config.dropout() > 0 ? torch.dropout(x, config.dropout(), true) : x;
    }
}
