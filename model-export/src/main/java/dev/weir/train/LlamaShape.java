package dev.weir.train;

import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * What a Llama has beside what every GPT has (Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023; heads
 * of queries that share keys and values are from Ainslie et al., "GQA", 2023). Immutable; any thread.
 *
 * @param kvHeads heads of keys and values; divides the heads of queries
 * @param hidden width between a block's last two matrices, "intermediate_size" in Hugging Face's words
 * @param rotary how positions come in
 */
record LlamaShape(int kvHeads, int hidden, RotaryPositions rotary) {
    /**
     * Every weight's name with its shape. Names are Hugging Face's, without "model." before them, and of the matrices that read
     * the same input those of Phi-3, where one matrix holds them side by side.
     */
    SequencedMap<String, long[]> tensorShapes(GptConfig config) {
        long d = config.width();
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(config.family().tokenEmbedding(), new long[] {config.vocabularySize(), d});
        for (int layer = 0; layer < config.layers(); layer++) {
            String block = "layers." + layer + ".";
            shapes.put(block + "input_layernorm.weight", new long[] {d});
            // As in a GPT's, y = x W without a transpose.
            shapes.put(block + "self_attn.qkv_proj.weight", new long[] {d, qkvWidth(config)});
            shapes.put(block + "self_attn.o_proj.weight", new long[] {d, d});
            shapes.put(block + "post_attention_layernorm.weight", new long[] {d});
            shapes.put(block + "mlp.gate_up_proj.weight", new long[] {d, 2L * hidden});
            shapes.put(block + "mlp.down_proj.weight", new long[] {hidden, d});
        }
        shapes.put("norm.weight", new long[] {d});
        return shapes;
    }

    /** Size of a token's queries, keys and values together. */
    int qkvWidth(GptConfig config) {
        return (config.heads() + 2 * kvHeads) * config.headSize();
    }
}
