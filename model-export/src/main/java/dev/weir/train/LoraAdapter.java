package dev.weir.train;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A low-rank adaptation of a model, apart from the model. Immutable by contract; any thread.
 *
 * <p>ONNX Runtime gives its parts to the graph as inputs of these names: {@code MATRIX.lora_A.MatMul.weight} [in, rank] and {@code
 * MATRIX.lora_B.MatMul.weight} [rank, out], as ONNX Runtime GenAI's exporter has them, the scale in B; the rows of new tokens,
 * as a low-rank change of the token embedding, in {@code TABLE.lora_embedding_A} [vocabulary, tokens] and {@code
 * TABLE.lora_embedding_B} [tokens, width]; and the head under its own names.
 *
 * @param name of its file and in the model's card
 * @param base the folder of the model that it was trained beside, as it says
 * @param baseSha256 digest of that model's weights, if it says
 * @param matrices changes by the name of the matrix
 * @param tokens whose rows it replaces in the token embedding
 * @param rows {@code [tokens, width]}
 * @param headWeight {@code [outputs, width]}; empty without a head
 * @param headBias {@code [outputs]}; empty without a head
 * @param tokenizer the files of the tokenizer that has its tokens, by name; empty if it has none of its own
 */
@SuppressWarnings("ArrayRecordComponent") // on their way into the graph, never compared
record LoraAdapter(
        String name,
        int rank,
        double alpha,
        String base,
        Optional<String> baseSha256,
        SequencedMap<String, LowRank> matrices,
        int[] tokens,
        float[] rows,
        Optional<TaskHead> head,
        float[] headWeight,
        float[] headBias,
        Map<String, String> tokenizer) {
    /** An input of the graph; {@code values} row-major. */
    @SuppressWarnings("ArrayRecordComponent") // on its way into a file, never compared
    record Parameter(long[] shape, float[] values) {}

    /**
     * Opens adapters of one model.
     *
     * @throws UserError if one is not of this model, or two do not go together, naming both
     */
    static List<LoraAdapter> openAll(List<Path> folders, Path checkpoint, GptWeights base) throws IOException {
        List<LoraAdapter> adapters = new ArrayList<>();
        Map<String, Path> names = new HashMap<>();
        Optional<Path> withTokens = Optional.empty();
        Map<String, String> tokenizer = Map.of();
        String digest = "";
        for (Path folder : folders) {
            LoraAdapter adapter = AdapterReader.read(folder, base.config());
            if (adapter.baseSha256.isPresent()) {
                digest = digest.isEmpty() ? Lora.digest(base) : digest;
                if (!adapter.baseSha256.get().equals(digest)) {
                    throw new UserError("--adapter is " + folder + ", which was trained beside the weights of "
                            + adapter.base + "; --checkpoint is " + checkpoint
                            + ", which has others: give the checkpoint that the adapter began with");
                }
            }
            Path other = names.putIfAbsent(adapter.name, folder);
            if (other != null) {
                throw new UserError("--adapter has " + other + " and " + folder + ", which would both be "
                        + adapter.fileName() + ": rename one of the folders");
            }
            if (adapter.tokens.length > 0) {
                if (withTokens.isPresent() && !tokenizer.equals(adapter.tokenizer)) {
                    throw new UserError("--adapter has " + withTokens.get() + " and " + folder
                            + ", whose tokenizers differ: export them one by one");
                }
                withTokens = Optional.of(folder);
                tokenizer = adapter.tokenizer;
            }
            adapters.add(adapter);
        }
        return List.copyOf(adapters);
    }

    /** What an adapter is called: its folder, or the run that the folder is the best or the last model of. */
    static String name(Path folder) {
        Path path = folder.toAbsolutePath().normalize();
        for (String part : List.of(AdapterFolder.NAME, "best", "last")) {
            Path parent = path.getParent();
            if (path.endsWith(part) && parent != null && parent.getFileName() != null) {
                path = parent;
            }
        }
        return String.valueOf(path.getFileName());
    }

    String fileName() {
        return name + ".onnx_adapter";
    }

    /** One more than the largest id of its tokens; 0 if it has none. */
    int endOfTokens() {
        return Arrays.stream(tokens).max().orElse(-1) + 1;
    }

    /** Name of the graph's input for the first factor of the change of a matrix or of the token embedding. */
    static String inputA(String target) {
        return target + (target.startsWith("h.") ? ".lora_A.MatMul.weight" : ".lora_embedding_A");
    }

    /** Name of the graph's input for the second factor. */
    static String inputB(String target) {
        return target + (target.startsWith("h.") ? ".lora_B.MatMul.weight" : ".lora_embedding_B");
    }

    /** The token embedding among the targets. */
    static String table(GptConfig config) {
        return config.family().tokenEmbedding().replaceFirst("\\.weight$", "");
    }

    /** Everything that it gives to a graph of the model, by the input's name. */
    SequencedMap<String, Parameter> parameters(GptWeights model) {
        SequencedMap<String, Parameter> parameters = new LinkedHashMap<>();
        changes(model).forEach((target, change) -> {
            parameters.put(inputA(target), new Parameter(new long[] {change.rows(), change.rank()}, change.a()));
            parameters.put(inputB(target), new Parameter(new long[] {change.rank(), change.columns()}, change.b()));
        });
        if (head.isPresent()) {
            int outputs = head.get().outputs();
            parameters.put(
                    TaskHead.WEIGHT,
                    new Parameter(new long[] {outputs, model.config().width()}, headWeight));
            parameters.put(TaskHead.BIAS, new Parameter(new long[] {outputs}, exportedBias(head.get())));
        }
        return parameters;
    }

    /** A similarity's answer is the sum over both orders of its texts, each of which gets half of the bias. */
    private float[] exportedBias(TaskHead task) {
        float[] bias = headBias.clone();
        if (task.task() == FinetuneTask.SIMILARITY) {
            for (int i = 0; i < bias.length; i++) {
                bias[i] /= 2;
            }
        }
        return bias;
    }

    /** The changes of the model's matrices and, where there are new tokens, of its token embedding. */
    private SequencedMap<String, LowRank> changes(GptWeights model) {
        SequencedMap<String, LowRank> changes = new LinkedHashMap<>(matrices);
        if (tokens.length > 0) {
            GptConfig config = model.config();
            int width = config.width();
            float[] before = model.tensor(config.family().tokenEmbedding());
            float[] choice = new float[config.vocabularySize() * tokens.length];
            float[] change = rows.clone();
            for (int i = 0; i < tokens.length; i++) {
                choice[tokens[i] * tokens.length + i] = 1;
                for (int j = 0; j < width; j++) {
                    change[i * width + j] -= before[tokens[i] * width + j];
                }
            }
            changes.put(table(config), new LowRank(config.vocabularySize(), width, tokens.length, choice, change));
        }
        return changes;
    }

    /** The model with this adapter worked into its weights. */
    GptWeights mergedInto(GptWeights model) {
        Map<String, LowRank> changes = changes(model);
        return GptWeights.of(model.config(), head.or(model::head), tensor -> {
            if (head.isPresent() && TaskHead.isName(tensor)) {
                return (tensor.equals(TaskHead.WEIGHT) ? headWeight : headBias).clone();
            }
            float[] values = model.tensor(tensor);
            LowRank change = changes.get(tensor.replaceFirst("\\.weight$", ""));
            if (change != null) {
                change.addTo(values);
            }
            return values;
        });
    }

    /** What it is, in the words of a model's card. */
    String describe() {
        return "`" + fileName() + "`, rank " + rank + ", alpha " + alpha;
    }
}
