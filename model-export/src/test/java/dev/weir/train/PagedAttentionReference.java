package dev.weir.train;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * One node of {@code com.microsoft.PagedAttention} and its part of the cache, calculated plainly as ONNX Runtime 1.29
 * documents the operator: keys and values are written where {@code slot_mapping} says, read where {@code block_table} says,
 * and attended to up to the token itself, in float32. Symmetric eight bits or the arithmetic's own numbers in the cache; packed query, key and
 * value, of which the first two are turned by their positions where the node says so; no sinks, norms or soft cap.
 *
 * <p>The cache begins as NaN, which shows in the output as soon as anybody reads what no sequence wrote.
 */
final class PagedAttentionReference {
    private static final Set<String> KNOWN =
            Set.of("num_heads", "kv_num_heads", "local_window_size", "do_rotary", "k_quant_type", "v_quant_type");

    private final NodeProto node;
    private final PagedArithmetic arithmetic;
    private final int blockSize;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final int window;
    /** 0 where the cache is not in eight bits. */
    private final float keyScale;

    private final float valueScale;

    /** {@code [positions, head size / 2]}; empty where nothing is rotated. */
    private final float[] cosines;

    private final float[] sines;

    /** {@code [blocks, block size, kv heads, head size]}, as it is read. */
    private final float[] keys;

    private final float[] values;

    PagedAttentionReference(
            NodeProto node, GraphProto graph, PagedArithmetic arithmetic, int width, int blocks, int blockSize) {
        this.node = node;
        this.arithmetic = arithmetic;
        this.blockSize = blockSize;
        Map<String, AttributeProto> attributes = new HashMap<>();
        node.getAttributeList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
        require(KNOWN.containsAll(attributes.keySet()), "unknown attributes in " + attributes.keySet());
        require(node.getInputCount() == 17, "it has " + node.getInputCount() + " inputs");
        for (int absent : new int[] {1, 2, 11, 12, 13}) {
            require(input(absent).isEmpty(), "input " + absent + " is there");
        }
        heads = (int) attributes.get("num_heads").getI();
        kvHeads = (int) attributes.get("kv_num_heads").getI();
        headSize = width / heads;
        window = attributes.containsKey("local_window_size")
                ? (int) attributes.get("local_window_size").getI()
                : Integer.MAX_VALUE;
        keyScale = scale(graph, 14, attributes.get("k_quant_type"));
        valueScale = scale(graph, 15, attributes.get("v_quant_type"));
        boolean isRotary = attributes.containsKey("do_rotary")
                && attributes.get("do_rotary").getI() == 1;
        require(isRotary != input(8).isEmpty() && isRotary != input(9).isEmpty(), "tables do not go with do_rotary");
        cosines = isRotary ? numbers(constant(graph, 8)) : new float[0];
        sines = isRotary ? numbers(constant(graph, 9)) : new float[0];
        require(cosines.length == sines.length && cosines.length % (headSize / 2) == 0, "tables are of other sizes");
        keys = new float[blocks * blockSize * kvHeads * headSize];
        values = keys.clone();
        Arrays.fill(keys, Float.NaN);
        Arrays.fill(values, Float.NaN);
    }

    private float scale(GraphProto graph, int index, AttributeProto type) {
        boolean quantised = type != null && type.getS().toStringUtf8().equals("PER_TENSOR");
        require(quantised != input(index).isEmpty(), "scale " + index + " does not go with the quantisation");
        if (!quantised) {
            return 0;
        }
        return data(constant(graph, index)).getFloat();
    }

    private TensorProto constant(GraphProto graph, int index) {
        return graph.getInitializerList().stream()
                .filter(initializer -> initializer.getName().equals(input(index)))
                .findAny()
                .orElseThrow();
    }

    private static ByteBuffer data(TensorProto tensor) {
        return tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private float[] numbers(TensorProto tensor) {
        require(tensor.getDataType() == arithmetic.type().getNumber(), tensor.getName() + " has another type");
        ByteBuffer data = data(tensor);
        boolean isHalf = arithmetic == PagedArithmetic.HALF;
        float[] values = new float[data.remaining() / (isHalf ? Short.BYTES : Float.BYTES)];
        for (int i = 0; i < values.length; i++) {
            values[i] = isHalf ? Float.float16ToFloat(data.getShort()) : data.getFloat();
        }
        return values;
    }

    /** Numbers of a token in what it reads. */
    int rowSize() {
        return (heads + 2 * kvHeads) * headSize;
    }

    boolean isQuantised() {
        return keyScale != 0;
    }

    String input(int index) {
        return node.getInput(index);
    }

    String output(int index) {
        return node.getOutput(index);
    }

    /** All keys and then all values that are cached, and NaN where nothing was. */
    float[] cached() {
        float[] all = Arrays.copyOf(keys, 2 * keys.length);
        System.arraycopy(values, 0, all, keys.length, values.length);
        return all;
    }

    /** Output {@code [tokens, heads, head size]} of query, key and value, {@code [tokens, (heads + 2 kv heads) head size]}. */
    float[] run(float[] given, PagedStep step) {
        int[] cumulative = step.vector(input(5));
        int[] past = step.vector(input(6));
        int[][] table = step.table(input(7));
        int[] slots = step.vector(input(10));
        int[] metadata = step.vector(input(16));
        int rowSize = rowSize();
        float[] qkv = given.clone();
        int tokens = qkv.length / rowSize;
        require(cumulative[0] == 0 && cumulative[past.length] == tokens, "sequences do not cover the tokens");
        require(slots.length == tokens && table.length == past.length, "inputs are of different lengths");
        rotate(qkv, cumulative, past);
        for (int token = 0; token < tokens; token++) {
            if (slots[token] >= 0) {
                int at = slots[token] * kvHeads * headSize;
                for (int i = 0; i < kvHeads * headSize; i++) {
                    keys[at + i] = stored(qkv[token * rowSize + heads * headSize + i], keyScale);
                    values[at + i] = stored(qkv[token * rowSize + (heads + kvHeads) * headSize + i], valueScale);
                }
            }
        }
        float[] output = new float[tokens * heads * headSize];
        for (int sequence = 0; sequence < past.length; sequence++) {
            int length = cumulative[sequence + 1] - cumulative[sequence];
            require(length <= metadata[0] && past[sequence] + length <= metadata[1], "metadata is no upper bound");
            for (int i = 0; i < length; i++) {
                int token = cumulative[sequence] + i;
                for (int head = 0; head < heads; head++) {
                    attend(qkv, token * rowSize, head, past[sequence] + i, table[sequence], output, token);
                }
            }
        }
        return output;
    }

    /** Turns queries and keys by their positions: element i with element i + half of its head. */
    private void rotate(float[] qkv, int[] cumulative, int[] past) {
        int half = headSize / 2;
        for (int sequence = 0; cosines.length > 0 && sequence < past.length; sequence++) {
            for (int token = cumulative[sequence]; token < cumulative[sequence + 1]; token++) {
                int angle = (past[sequence] + token - cumulative[sequence]) * half;
                for (int head = 0; head < heads + kvHeads; head++) {
                    int at = token * rowSize() + head * headSize;
                    for (int i = 0; i < half; i++) {
                        float first = qkv[at + i];
                        float second = qkv[at + half + i];
                        qkv[at + i] = first * cosines[angle + i] - second * sines[angle + i];
                        qkv[at + half + i] = second * cosines[angle + i] + first * sines[angle + i];
                    }
                }
            }
        }
    }

    private void attend(float[] qkv, int row, int head, int position, int[] blocks, float[] output, int token) {
        int first = Math.max(0, position - window + 1);
        float[] weights = new float[position + 1];
        float most = Float.NEGATIVE_INFINITY;
        for (int s = first; s <= position; s++) {
            int at = cached(blocks, s, head);
            for (int i = 0; i < headSize; i++) {
                weights[s] += qkv[row + head * headSize + i] * keys[at + i];
            }
            weights[s] /= (float) Math.sqrt(headSize);
            most = Math.max(most, weights[s]);
        }
        float sum = 0;
        for (int s = first; s <= position; s++) {
            weights[s] = (float) Math.exp(weights[s] - most);
            sum += weights[s];
        }
        for (int s = first; s <= position; s++) {
            int at = cached(blocks, s, head);
            for (int i = 0; i < headSize; i++) {
                output[(token * heads + head) * headSize + i] += weights[s] / sum * values[at + i];
            }
        }
    }

    private int cached(int[] blocks, int position, int head) {
        int slot = blocks[position / blockSize] * blockSize + position % blockSize;
        return (slot * kvHeads + head / (heads / kvHeads)) * headSize;
    }

    private float stored(float value, float scale) {
        if (scale == 0) {
            return arithmetic.stored(value);
        }
        return (float) Math.clamp(Math.rint(value / scale), -128, 127) * scale;
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(node.getName() + ": " + otherwise);
        }
    }
}
