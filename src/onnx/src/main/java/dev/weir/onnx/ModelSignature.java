package dev.weir.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an ONNX graph reads and writes, checked against its folder's configuration. Immutable; any thread.
 *
 * @param hasAttentionMask whether the graph wants a mask
 * @param hasPositionIds whether the graph wants positions
 * @param lastTokenOnly whether logits come out for the last token alone instead of for every one
 * @param cacheType element type of keys and values
 */
record ModelSignature(boolean hasAttentionMask, boolean hasPositionIds, boolean lastTokenOnly, OnnxJavaType cacheType) {

    /** Reads a session's inputs and outputs. */
    static ModelSignature of(OrtSession session, ModelFolder folder) throws OrtException {
        String name = folder.names().logits();
        TensorInfo logits = expect(folder, "output", session.getOutputInfo(), name, OnnxJavaType.FLOAT, 3);
        size(folder, name, logits, 2, folder.vocabularySize(), "model.vocab_size");
        return of(session, folder, logits.getShape()[1] == 1);
    }

    /** Reads those of a graph of which something else than the next token is asked. */
    static ModelSignature withoutLogits(OrtSession session, ModelFolder folder) throws OrtException {
        return of(session, folder, true);
    }

    private static ModelSignature of(OrtSession session, ModelFolder folder, boolean lastTokenOnly)
            throws OrtException {
        Map<String, NodeInfo> inputs = session.getInputInfo();
        Map<String, NodeInfo> outputs = session.getOutputInfo();
        ModelFolder.GraphNames names = folder.names();
        expect(folder, "input", inputs, names.inputIds(), OnnxJavaType.INT64, 2);
        boolean mask = inputs.containsKey(names.attentionMask());
        if (mask) {
            expect(folder, "input", inputs, names.attentionMask(), OnnxJavaType.INT64, 2);
        }
        boolean positions = inputs.containsKey(names.positionIds());
        if (positions) {
            expect(folder, "input", inputs, names.positionIds(), OnnxJavaType.INT64, 2);
        }

        Set<String> known = new HashSet<>(Set.of(names.inputIds(), names.attentionMask(), names.positionIds()));
        OnnxJavaType cacheType = cacheType(folder, inputs, names.pastKey().formatted(0));
        for (int layer = 0; layer < folder.layers(); layer++) {
            for (String pattern : new String[] {names.pastKey(), names.pastValue()}) {
                String name = pattern.formatted(layer);
                TensorInfo past = expect(folder, "input", inputs, name, cacheType, 4);
                size(folder, name, past, 1, folder.kvHeads(), "model.decoder.num_key_value_heads");
                size(folder, name, past, 3, folder.headSize(), "model.decoder.head_size");
                known.add(name);
            }
            expect(folder, "output", outputs, names.presentKey().formatted(layer), cacheType, 4);
            expect(folder, "output", outputs, names.presentValue().formatted(layer), cacheType, 4);
        }
        for (String input : inputs.keySet()) {
            if (!known.contains(input)) {
                throw new ModelLoadException(folder.modelFile() + " wants an input \"" + input
                        + "\" that is not among those of a text decoder: " + ModelFolder.CONFIG_FILE
                        + " may give fewer layers than the graph has, or the model is of another kind");
            }
        }
        return new ModelSignature(mask, positions, lastTokenOnly, cacheType);
    }

    private static OnnxJavaType cacheType(ModelFolder folder, Map<String, NodeInfo> inputs, String name) {
        OnnxJavaType type = tensor(folder, "input", inputs, name).type;
        return switch (type) {
            case FLOAT, FLOAT16, BFLOAT16, INT8, UINT8 -> type;
            default ->
                throw new ModelLoadException(folder.modelFile() + ": input \"" + name + "\" has elements of type "
                        + type + ", which is no type for keys and values");
        };
    }

    private static TensorInfo expect(
            ModelFolder folder, String kind, Map<String, NodeInfo> infos, String name, OnnxJavaType type, int rank) {
        TensorInfo tensor = tensor(folder, kind, infos, name);
        if (tensor.type != type || tensor.getShape().length != rank) {
            throw new ModelLoadException(folder.modelFile() + ": " + kind + " \"" + name + "\" is " + tensor
                    + " but must have elements of type " + type + " and " + rank + " dimensions");
        }
        return tensor;
    }

    private static TensorInfo tensor(ModelFolder folder, String kind, Map<String, NodeInfo> infos, String name) {
        @Nullable NodeInfo info = infos.get(name);
        if (info == null || !(info.getInfo() instanceof TensorInfo tensor)) {
            throw new ModelLoadException(folder.modelFile() + " has no " + kind + " tensor \"" + name + "\"; it has "
                    + infos.keySet() + ": name them in model.decoder." + kind + "s of " + ModelFolder.CONFIG_FILE);
        }
        return tensor;
    }

    private static void size(ModelFolder folder, String name, TensorInfo tensor, int axis, int size, String field) {
        long found = tensor.getShape()[axis];
        if (found != -1 && found != size) {
            throw new ModelLoadException(folder.modelFile() + ": \"" + name + "\" has size " + found + " on axis "
                    + axis + ", but " + ModelFolder.CONFIG_FILE + " says " + field + " is " + size);
        }
    }
}
