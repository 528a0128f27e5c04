package dev.weir.train;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * GPT-2's forward pass in libtorch. Owned by the thread of its {@link GptParameters}; every call leaves tensors to the caller's
 * {@code PointerScope}.
 *
 * <p>Shapes: B sequences, T tokens, d width, H heads, s = d / H head size, V vocabulary. Dropout acts where GPT-2 has it on
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
        Tensor positions = parameters.get("wpe.weight").narrow(0, 0, tokens); // [T, d]
        Tensor x = torch.embedding(parameters.get("wte.weight"), ids).add(positions); // [B, T, d]
        x = dropout(x, training).view(batch * tokens, config.width()); // [B T, d]
        for (int layer = 0; layer < config.layers(); layer++) {
            String block = "h." + layer + ".";
            Tensor attended = attention(norm(x, block + "ln_1"), block + "attn.", batch, tokens);
            x = x.add(dropout(attended, training));
            Tensor hidden = torch.gelu(linear(norm(x, block + "ln_2"), block + "mlp.c_fc"), "tanh"); // [B T, 4 d]
            x = x.add(dropout(linear(hidden, block + "mlp.c_proj"), training));
        }
        x = norm(x, "ln_f");
        Tensor head = parameters.get("wte.weight").t(); // [d, V], tied to the embedding
        return torch.matmul(x, head).view(batch, tokens, config.vocabularySize());
    }

    /** Causal multi-head self-attention; x and the result are [B T, d]. */
    private Tensor attention(Tensor x, String name, long batch, long tokens) {
        Tensor qkv = linear(x, name + "c_attn").view(batch, tokens, 3L * config.width()); // [B, T, 3 d]
        TensorVector parts = qkv.split(config.width(), 2);
        Tensor mixed = torch.scaled_dot_product_attention(
                heads(parts.get(0), batch, tokens),
                heads(parts.get(1), batch, tokens),
                heads(parts.get(2), batch, tokens),
                new TensorOptional(),
                0.0,
                true,
                new DoubleOptional(),
                false); // [B, H, T, s]
        Tensor joined = mixed.transpose(1, 2).reshape(batch * tokens, config.width());
        return linear(joined, name + "c_proj");
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
