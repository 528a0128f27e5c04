package dev.weir.train;

import java.util.Objects;

/**
 * A Llama's forward pass written down plainly, as Hugging Face's LlamaForCausalLM describes it, in double precision and without
 * a cache. Slow; used by one thread.
 */
final class LlamaReferenceForward implements ReferenceModel {
    private final GptWeights weights;
    private final GptConfig config;
    private final LlamaShape shape;

    LlamaReferenceForward(GptWeights weights) {
        this.weights = weights;
        config = weights.config();
        shape = Objects.requireNonNull(config.llama());
    }

    @Override
    public float[][] logits(int[] tokens) {
        int d = config.width();
        float[] table = weights.tensor("embed_tokens.weight");
        double[][] x = new double[tokens.length][d];
        for (int t = 0; t < tokens.length; t++) {
            for (int i = 0; i < d; i++) {
                x[t][i] = table[tokens[t] * d + i];
            }
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            String name = "layers." + layer + ".";
            double[][] qkv = linear(norm(x, name + "input_layernorm"), name + "self_attn.qkv_proj");
            add(x, linear(attention(qkv), name + "self_attn.o_proj"));
            double[][] gateAndUp = linear(norm(x, name + "post_attention_layernorm"), name + "mlp.gate_up_proj");
            add(x, linear(swiGlu(gateAndUp), name + "mlp.down_proj"));
        }
        double[][] last = norm(x, "norm");
        float[][] logits = new float[tokens.length][config.vocabularySize()];
        for (int t = 0; t < tokens.length; t++) {
            for (int v = 0; v < config.vocabularySize(); v++) {
                double sum = 0;
                for (int i = 0; i < d; i++) {
                    sum += last[t][i] * table[v * d + i];
                }
                logits[t][v] = (float) sum;
            }
        }
        return logits;
    }

    /** Causal attention over rows of queries, keys and values side by side. */
    private double[][] attention(double[][] qkv) {
        int size = config.headSize();
        int heads = config.heads();
        int shared = heads / shape.kvHeads();
        for (int t = 0; t < qkv.length; t++) {
            for (int head = 0; head < heads + shape.kvHeads(); head++) {
                rotate(qkv[t], head * size, t);
            }
        }
        double[][] out = new double[qkv.length][heads * size];
        for (int head = 0; head < heads; head++) {
            int q = head * size;
            int k = (heads + head / shared) * size;
            int v = (heads + shape.kvHeads() + head / shared) * size;
            for (int t = 0; t < qkv.length; t++) {
                double[] weight = new double[t + 1];
                double sum = 0;
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < size; i++) {
                        weight[s] += qkv[t][q + i] * qkv[s][k + i] / Math.sqrt(size);
                    }
                    weight[s] = Math.exp(weight[s]);
                    sum += weight[s];
                }
                for (int s = 0; s <= t; s++) {
                    for (int i = 0; i < size; i++) {
                        out[t][q + i] += weight[s] / sum * qkv[s][v + i];
                    }
                }
            }
        }
        return out;
    }

    /** {@code x cos + rotate_half(x) sin}, where the second half, negated, comes before the first. */
    private void rotate(double[] row, int from, int position) {
        int half = config.headSize() / 2;
        for (int i = 0; i < half; i++) {
            double angle = position * frequency(i);
            double first = row[from + i];
            double second = row[from + half + i];
            row[from + i] = first * Math.cos(angle) - second * Math.sin(angle);
            row[from + half + i] = second * Math.cos(angle) + first * Math.sin(angle);
        }
    }

    /** Llama 3's frequencies, by wavelength. */
    private double frequency(int pair) {
        RotaryPositions rotary = shape.rotary();
        double frequency = 1 / Math.pow(rotary.theta(), 2.0 * pair / config.headSize());
        double wavelength = 2 * Math.PI / frequency;
        if (wavelength > rotary.originalContext() / rotary.lowFrequency()) {
            return frequency / rotary.factor();
        }
        if (wavelength < rotary.originalContext() / rotary.highFrequency()) {
            return frequency;
        }
        double smooth = (rotary.originalContext() / wavelength - rotary.lowFrequency())
                / (rotary.highFrequency() - rotary.lowFrequency());
        return (1 - smooth) * frequency / rotary.factor() + smooth * frequency;
    }

    private double[][] swiGlu(double[][] gateAndUp) {
        double[][] y = new double[gateAndUp.length][shape.hidden()];
        for (int t = 0; t < y.length; t++) {
            for (int i = 0; i < shape.hidden(); i++) {
                double gate = gateAndUp[t][i];
                y[t][i] = gate / (1 + Math.exp(-gate)) * gateAndUp[t][shape.hidden() + i];
            }
        }
        return y;
    }

    private double[][] linear(double[][] x, String name) {
        float[] w = weights.tensor(name + ".weight");
        int inputs = x[0].length;
        int outputs = w.length / inputs;
        double[][] y = new double[x.length][outputs];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < inputs; i++) {
                for (int o = 0; o < outputs; o++) {
                    y[t][o] += x[t][i] * w[i * outputs + o];
                }
            }
        }
        return y;
    }

    private double[][] norm(double[][] x, String name) {
        float[] gain = weights.tensor(name + ".weight");
        double[][] y = new double[x.length][gain.length];
        for (int t = 0; t < x.length; t++) {
            double squares = 0;
            for (double value : x[t]) {
                squares += value * value / gain.length;
            }
            for (int i = 0; i < gain.length; i++) {
                y[t][i] = x[t][i] / Math.sqrt(squares + 1e-5) * gain[i];
            }
        }
        return y;
    }

    private static void add(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += y[t][i];
            }
        }
    }
}
