package dev.weir.train;

/**
 * A GPT's forward pass written down plainly, in double precision and without a cache: what every faster form of the model
 * is compared with. Slow; used by one thread.
 */
final class ReferenceForward implements ReferenceModel {
    private final GptWeights weights;
    private final GptConfig config;

    /** The pass of the weights' family. */
    static ReferenceModel of(GptWeights weights) {
        return weights.config().llama() == null ? new ReferenceForward(weights) : new LlamaReferenceForward(weights);
    }

    ReferenceForward(GptWeights weights) {
        this.weights = weights;
        this.config = weights.config();
    }

    @Override
    public float[][] logits(int[] tokens) {
        int d = config.width();
        float[] wte = weights.tensor(config.family().tokenEmbedding());
        float[] wpe = weights.tensor(config.family().positionEmbedding());
        boolean postNorm = config.family() == Family.GPT1;
        double[][] x = new double[tokens.length][d];
        for (int t = 0; t < tokens.length; t++) {
            for (int i = 0; i < d; i++) {
                x[t][i] = (double) wte[tokens[t] * d + i] + wpe[t * d + i];
            }
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            String name = "h." + layer + ".";
            int seen = config.isBanded(layer) ? config.window() : tokens.length;
            double[][] qkv = linear(postNorm ? x : norm(x, name + "ln_1"), name + "attn.c_attn");
            add(x, linear(attention(qkv, seen), name + "attn.c_proj"));
            if (postNorm) {
                x = norm(x, name + "ln_1");
            }
            add(x, linear(gelu(linear(postNorm ? x : norm(x, name + "ln_2"), name + "mlp.c_fc")), name + "mlp.c_proj"));
            if (postNorm) {
                x = norm(x, name + "ln_2");
            }
        }
        double[][] last = postNorm ? x : norm(x, "ln_f");
        float[] outputBias = config.outputBias() ? weights.tensor("lm_head.bias") : new float[config.vocabularySize()];
        float[][] logits = new float[tokens.length][config.vocabularySize()];
        for (int t = 0; t < tokens.length; t++) {
            for (int v = 0; v < config.vocabularySize(); v++) {
                double sum = outputBias[v];
                for (int i = 0; i < d; i++) {
                    sum += last[t][i] * wte[v * d + i];
                }
                logits[t][v] = (float) sum;
            }
        }
        return logits;
    }

    /**
     * Causal attention over rows of query, key and value side by side; {@code [tokens, 3 d]} to {@code [tokens, d]}.
     *
     * @param seen how many tokens each token sees at most, itself included
     */
    private double[][] attention(double[][] qkv, int seen) {
        int d = config.width();
        int size = config.headSize();
        double[][] out = new double[qkv.length][d];
        for (int head = 0; head < config.heads(); head++) {
            int q = head * size;
            int k = d + head * size;
            int v = 2 * d + head * size;
            for (int t = 0; t < qkv.length; t++) {
                int first = Math.max(0, t - seen + 1);
                double[] weight = new double[t + 1];
                double max = Double.NEGATIVE_INFINITY;
                for (int s = first; s <= t; s++) {
                    for (int i = 0; i < size; i++) {
                        weight[s] += qkv[t][q + i] * qkv[s][k + i];
                    }
                    weight[s] /= Math.sqrt(size);
                    max = Math.max(max, weight[s]);
                }
                double sum = 0;
                for (int s = first; s <= t; s++) {
                    weight[s] = Math.exp(weight[s] - max);
                    sum += weight[s];
                }
                for (int s = first; s <= t; s++) {
                    for (int i = 0; i < size; i++) {
                        out[t][q + i] += weight[s] / sum * qkv[s][v + i];
                    }
                }
            }
        }
        return out;
    }

    private double[][] linear(double[][] x, String name) {
        float[] w = weights.tensor(name + ".weight");
        float[] b = weights.tensor(name + ".bias");
        double[][] y = new double[x.length][b.length];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < b.length; o++) {
                y[t][o] = b[o];
            }
            for (int i = 0; i < x[t].length; i++) {
                double factor = x[t][i];
                int row = i * b.length;
                for (int o = 0; o < b.length; o++) {
                    y[t][o] += factor * w[row + o];
                }
            }
        }
        return y;
    }

    private double[][] norm(double[][] x, String name) {
        float[] gain = weights.tensor(name + ".weight");
        float[] bias = weights.tensor(name + ".bias");
        double[][] y = new double[x.length][gain.length];
        for (int t = 0; t < x.length; t++) {
            double mean = 0;
            for (double value : x[t]) {
                mean += value / gain.length;
            }
            double variance = 0;
            for (double value : x[t]) {
                variance += (value - mean) * (value - mean) / gain.length;
            }
            double scale = 1 / Math.sqrt(variance + GptConfig.LAYER_NORM_EPSILON);
            for (int i = 0; i < gain.length; i++) {
                y[t][i] = (x[t][i] - mean) * scale * gain[i] + bias[i];
            }
        }
        return y;
    }

    private static double[][] gelu(double[][] x) {
        double factor = Math.sqrt(2 / Math.PI);
        for (double[] row : x) {
            for (int i = 0; i < row.length; i++) {
                double v = row[i];
                row[i] = 0.5 * v * (1 + Math.tanh(factor * (v + 0.044715 * v * v * v)));
            }
        }
        return x;
    }

    private static void add(double[][] x, double[][] y) {
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] += y[t][i];
            }
        }
    }
}
