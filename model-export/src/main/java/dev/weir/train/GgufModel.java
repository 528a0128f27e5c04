package dev.weir.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A GPT-2 as llama.cpp's {@code gpt2} graph reads it, as its own converter would have written it. Static functions; any thread.
 *
 * <p>Matrices are the other way round than in Hugging Face's files: a row for each output. Biases, norms and positions stay
 * float32 whatever the matrices are.
 */
final class GgufModel {
    static final String FILE = "model.gguf";

    private static final String ARCHITECTURE = "gpt2";
    private static final String OUTPUT = "output.weight";
    private static final Map<String, String> LAYERS = Map.of(
            "ln_1", "attn_norm",
            "attn.c_attn", "attn_qkv",
            "attn.c_proj", "attn_output",
            "ln_2", "ffn_norm",
            "mlp.c_fc", "ffn_up",
            "mlp.c_proj", "ffn_down");

    private GgufModel() {}

    /**
     * Writes the file.
     *
     * @param name what the model is called
     * @param precision float32, or eight bits in blocks of 32 ({@code Q8_0})
     * @throws UserError if llama.cpp cannot compute such a model, naming what it lacks
     */
    static void write(Path file, String name, ExportSource source, Precision precision) throws IOException {
        GptWeights weights = Lora.merged(source.weights());
        GptConfig config = weights.config();
        requireExpressible(weights, precision);
        boolean isQuantised = precision == Precision.INT8;
        GgufWriter writer = new GgufWriter()
                .text("general.architecture", ARCHITECTURE)
                .text("general.type", "model")
                .text("general.name", name)
                .number("general.file_type", isQuantised ? 7 : 0)
                .number("general.quantization_version", 2)
                .number(ARCHITECTURE + ".block_count", config.layers())
                .number(ARCHITECTURE + ".context_length", config.context())
                .number(ARCHITECTURE + ".embedding_length", config.width())
                .number(ARCHITECTURE + ".feed_forward_length", 4 * config.width())
                .number(ARCHITECTURE + ".attention.head_count", config.heads())
                .number(ARCHITECTURE + ".attention.layer_norm_epsilon", (float) GptConfig.LAYER_NORM_EPSILON);
        GgufTokenizer.add(writer, source.files().getOrDefault("tokenizer.json", ""), config.vocabularySize());
        source.endOfText()
                .ifPresent(id ->
                        writer.number("tokenizer.ggml.bos_token_id", id).number("tokenizer.ggml.eos_token_id", id));
        String template = source.files().get(ExportSource.CHAT_TEMPLATE);
        if (template != null) {
            writer.text("tokenizer.chat_template", template);
        }
        config.tensorShapes().forEach((tensor, shape) -> {
            boolean isMatrix = shape.length == 2;
            boolean isTable = tensor.equals(config.family().tokenEmbedding())
                    || tensor.equals(config.family().positionEmbedding());
            Supplier<float[]> rows = isMatrix && !isTable
                    ? () -> LowRank.transposed(weights.tensor(tensor), (int) shape[0], (int) shape[1], 1)
                    : () -> weights.tensor(tensor);
            // The fastest dimension comes first: a table's columns, a layer's inputs.
            long[] stored = isMatrix && isTable ? new long[] {shape[1], shape[0]} : shape;
            boolean isInBlocks = isQuantised && StoredWeights.isQuantised(config, tensor, shape);
            GgufWriter.Type type = isInBlocks ? GgufWriter.Type.Q8_0 : GgufWriter.Type.F32;
            Supplier<byte[]> bytes =
                    () -> isInBlocks ? Block8.quantise(tensor, rows.get()) : LittleEndian.bytes(rows.get());
            writer.tensor(ggufName(tensor), stored, type, bytes);
            if (tensor.equals(config.family().tokenEmbedding())) {
                // The output head is the same table, but many builds of llama.cpp find it by this name alone.
                writer.tensor(OUTPUT, stored, type, bytes);
            }
        });
        writer.write(file);
    }

    private static void requireExpressible(GptWeights weights, Precision precision) {
        GptConfig config = weights.config();
        String lacking = switch (config.family()) {
            case GPT1 -> "the norms after each addition of a GPT-1";
            case GPT3 -> "the banded layers of a GPT-3";
            case GPT2 -> "";
            case LLAMA -> "the rotary positions of a Llama";
        };
        if (config.outputBias()) {
            lacking = "a bias in the output head";
        } else if (weights.head().isPresent()) {
            lacking = "the head of a fine-tuned task";
        } else if (config.direction() == Direction.RTL) {
            lacking = "reading from right to left";
        }
        if (!lacking.isEmpty()) {
            throw new UserError("--format is gguf, but llama.cpp's gpt2 lacks " + lacking
                    + ": choose --format onnx or safetensors, or export another model");
        }
        if (precision == Precision.INT8 && config.width() % Block8.SIZE != 0) {
            throw new UserError("--precision is int8, which --format gguf stores in blocks of " + Block8.SIZE
                    + ", but the model's width is " + config.width() + ": choose --precision fp32");
        }
    }

    /** What llama.cpp calls a tensor of Hugging Face's name. */
    static String ggufName(String name) {
        if (!name.startsWith("h.")) {
            return name.replaceFirst("^wte\\.", "token_embd.")
                    .replaceFirst("^wpe\\.", "position_embd.")
                    .replaceFirst("^ln_f\\.", "output_norm.");
        }
        int layer = name.indexOf('.', 2);
        int kind = name.lastIndexOf('.');
        return "blk" + name.substring(1, layer) + "." + LAYERS.get(name.substring(layer + 1, kind))
                + name.substring(kind);
    }
}
