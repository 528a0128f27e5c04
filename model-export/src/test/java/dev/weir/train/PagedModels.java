package dev.weir.train;

import ai.onnx.proto.OnnxMl.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;

/** Small models for a GPU that the CPU can run, and the same weights for the CPU. Static functions. */
public final class PagedModels {
    /** Tokens of a block: few, so that a context has several. */
    private static final int BLOCK_SIZE = 16;

    private static final int CONTEXT = 160;

    private PagedModels() {}

    /** Families of models, by {@link #write}'s names. */
    public static String[] names() {
        return new String[] {"gpt1", "gpt2", "gpt3", "llama"};
    }

    /**
     * Writes {@code folder/cuda} and {@code folder/cpu}.
     *
     * @param name a family, or tiny for the smallest there is
     * @param cache fp16 or int8
     */
    public static void write(Path folder, String name, String cache) throws IOException {
        GptConfig config = config(name);
        GptGraphOptions options = new GptGraphOptions(Precision.FP16);
        write(folder.resolve("cpu"), config, options);
        if (cache.equals("int8")) {
            options = options.withKvScales(KvScales.calibrate(folder.resolve("cpu"), 1));
        }
        Path cuda = folder.resolve("cuda");
        write(cuda, config, options.withTarget(Target.CUDA));
        Path graph = cuda.resolve(ModelFolderWriter.MODEL_FILE);
        ModelProto paged = ModelProto.parseFrom(Files.readAllBytes(graph));
        ModelProto plain = PlainAttention.in(paged, config.width(), PagedArithmetic.HALF);
        Files.write(graph, plain.toByteArray());
        Path settings = cuda.resolve("genai_config.json");
        String text = Files.readString(settings);
        Files.writeString(settings, text.replaceFirst("(\"block_size\" *: *)\\d+", "$1" + BLOCK_SIZE));
    }

    private static GptConfig config(String name) {
        return switch (name) {
            case "tiny" -> new GptConfig(1, 2, 16, CONTEXT, 60, 0);
            case "gpt1" -> new GptConfig(Family.GPT1, 2, 4, 64, CONTEXT, 270, 0, 0, false, Direction.LTR);
            case "gpt2" -> new GptConfig(2, 4, 64, CONTEXT, 270, 0);
            case "gpt3" -> new GptConfig(Family.GPT3, 2, 4, 64, CONTEXT, 270, 0, 7, false, Direction.LTR);
            case "llama" -> {
                GptConfig small = SmallGpts.LLAMA;
                yield new GptConfig(2, 4, 64, CONTEXT, 270, small.llama());
            }
            default -> throw new IllegalArgumentException("no family is called " + name);
        };
    }

    private static void write(Path folder, GptConfig config, GptGraphOptions options) throws IOException {
        ExportSource source =
                new ExportSource(new NoisyGptWeights(config, 3), OptionalInt.empty(), Map.of(), "a test", "");
        ModelFolderWriter.write(folder, source, options, _ -> "");
    }
}
