package dev.weir.onnx;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an ONNX graph reads and writes, checked against its folder's configuration. Immutable; any thread.
 *
 * @param hasAttentionMask whether the graph wants a mask
 * @param hasPositionIds whether the graph wants positions
 * @param lastTokenOnly whether logits come out for the last token alone, unless others are chosen, instead of for every one
 * @param choosesTokens whether it has the input {@link ModelFolder#LOGITS_INDICES}
 * @param cacheType element type of keys and values, one of {@link TensorType}'s
 */
record ModelSignature(
        boolean hasAttentionMask, boolean hasPositionIds, boolean lastTokenOnly, boolean choosesTokens, int cacheType) {

    /** Reads a session's inputs and outputs. */
    static ModelSignature of(CpuSession session, ModelFolder folder) {
        String name = folder.names().logits();
        TensorType logits = expect(folder, "output", session.outputs(), name, TensorType.FLOAT, 3);
        size(folder, name, logits, 2, folder.vocabularySize(), "model.vocab_size");
        boolean chooses = session.optionalInputs().contains(ModelFolder.LOGITS_INDICES);
        return of(session, folder, chooses || logits.dims()[1] == 1, chooses);
    }

    /** Reads those of a graph of which something else than the next token is asked. */
    static ModelSignature withoutLogits(CpuSession session, ModelFolder folder) {
        return of(session, folder, true, session.optionalInputs().contains(ModelFolder.LOGITS_INDICES));
    }

    private static ModelSignature of(
            CpuSession session, ModelFolder folder, boolean lastTokenOnly, boolean choosesTokens) {
        Map<String, TensorType> inputs = session.inputs();
        Map<String, TensorType> outputs = session.outputs();
        ModelFolder.GraphNames names = folder.names();
        expect(folder, "input", inputs, names.inputIds(), TensorType.INT64, 2);
        boolean mask = inputs.containsKey(names.attentionMask());
        if (mask) {
            expect(folder, "input", inputs, names.attentionMask(), TensorType.INT64, 2);
        }
        boolean positions = inputs.containsKey(names.positionIds());
        if (positions) {
            expect(folder, "input", inputs, names.positionIds(), TensorType.INT64, 2);
        }

        Set<String> known = new HashSet<>(Set.of(names.inputIds(), names.attentionMask(), names.positionIds()));
        int cacheType = cacheType(folder, inputs, names.pastKey().formatted(0));
        for (int layer = 0; layer < folder.layers(); layer++) {
            for (String pattern : new String[] {names.pastKey(), names.pastValue()}) {
                String name = pattern.formatted(layer);
                TensorType past = expect(folder, "input", inputs, name, cacheType, 4);
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
        return new ModelSignature(mask, positions, lastTokenOnly, choosesTokens, cacheType);
    }

    private static int cacheType(ModelFolder folder, Map<String, TensorType> inputs, String name) {
        int type = tensor(folder, "input", inputs, name).element();
        return switch (type) {
            case TensorType.FLOAT, TensorType.FLOAT16, TensorType.BFLOAT16, TensorType.INT8, TensorType.UINT8 -> type;
            default ->
                throw new ModelLoadException(folder.modelFile() + ": input \"" + name + "\" has elements of type "
                        + TensorType.name(type) + ", which is no type for keys and values");
        };
    }

    private static TensorType expect(
            ModelFolder folder, String kind, Map<String, TensorType> types, String name, int element, int rank) {
        TensorType tensor = tensor(folder, kind, types, name);
        if (tensor.element() != element || tensor.dims().length != rank) {
            throw new ModelLoadException(folder.modelFile() + ": " + kind + " \"" + name + "\" is " + tensor
                    + " but must have elements of type " + TensorType.name(element) + " and " + rank + " dimensions");
        }
        return tensor;
    }

    private static TensorType tensor(ModelFolder folder, String kind, Map<String, TensorType> types, String name) {
        @Nullable TensorType tensor = types.get(name);
        if (tensor == null) {
            throw new ModelLoadException(folder.modelFile() + " has no " + kind + " tensor \"" + name + "\"; it has "
                    + types.keySet() + ": name them in model.decoder." + kind + "s of " + ModelFolder.CONFIG_FILE);
        }
        return tensor;
    }

    private static void size(ModelFolder folder, String name, TensorType tensor, int axis, int size, String field) {
        long found = tensor.dims()[axis];
        if (found != -1 && found != size) {
            throw new ModelLoadException(folder.modelFile() + ": \"" + name + "\" has size " + found + " on axis "
                    + axis + ", but " + ModelFolder.CONFIG_FILE + " says " + field + " is " + size
                    + ": correct it there, or export the model again with --target cpu");
        }
    }
}
