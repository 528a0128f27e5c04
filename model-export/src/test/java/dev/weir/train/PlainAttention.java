package dev.weir.train;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes {@code com.microsoft.PagedAttention}, for which the CPU has no kernel, in operators of ONNX's own, so that a graph for
 * CUDA runs on the CPU with all its inputs and outputs: keys and values are written where {@code slot_mapping} says, read where
 * {@code block_table} says, and attended to up to the token itself, in float32. Symmetric eight bits or the graph's own numbers in
 * the cache; packed query, key and value, of which the first two are turned by their positions where the node says so; no sinks,
 * norms or soft cap. What is not attended to counts for nothing, not even as NaN. Where {@code attention_metadata} is no
 * upper bound, attention is lost, as a kernel loses it. Used by one thread.
 */
final class PlainAttention {
    private static final Set<String> KNOWN =
            Set.of("num_heads", "kv_num_heads", "local_window_size", "do_rotary", "k_quant_type", "v_quant_type");

    private final GraphProto.Builder graph;
    private final NodeProto node;
    private final String name;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final PagedArithmetic arithmetic;
    private final DataType cacheType;
    private final Map<String, AttributeProto> attributes = new HashMap<>();

    private PlainAttention(
            GraphProto.Builder graph, NodeProto node, int width, PagedArithmetic arithmetic, DataType cacheType) {
        this.graph = graph;
        this.node = node;
        this.arithmetic = arithmetic;
        this.cacheType = cacheType;
        name = node.getOutput(0) + "/plain/";
        node.getAttributeList().forEach(attribute -> attributes.put(attribute.getName(), attribute));
        heads = (int) attributes.get("num_heads").getI();
        kvHeads = (int) attributes.get("kv_num_heads").getI();
        headSize = width / heads;
        require(KNOWN.containsAll(attributes.keySet()), "unknown attributes in " + attributes.keySet());
        require(node.getInputCount() == 17, "it has " + node.getInputCount() + " inputs");
        for (int absent : new int[] {1, 2, 11, 12, 13}) {
            require(node.getInput(absent).isEmpty(), "input " + absent + " is there");
        }
        for (int table : new int[] {8, 9}) {
            require(isRotary() != node.getInput(table).isEmpty(), "tables do not go with do_rotary");
        }
        for (String what : List.of("k", "v")) {
            AttributeProto kind = attributes.get(what + "_quant_type");
            boolean isQuantised = kind != null && kind.getS().toStringUtf8().equals("PER_TENSOR");
            int scale = what.equals("k") ? 14 : 15;
            require(isQuantised != node.getInput(scale).isEmpty(), "scale " + scale + " does not go with " + kind);
            require(isQuantised == (cacheType == DataType.INT8), "the cache is of " + cacheType);
        }
    }

    private void require(boolean condition, String what) {
        if (!condition) {
            throw new IllegalStateException(node.getName() + ": " + what);
        }
    }

    private boolean isRotary() {
        AttributeProto rotary = attributes.get("do_rotary");
        return rotary != null && rotary.getI() == 1;
    }

    /** The same model with each attention written out. */
    static ModelProto in(ModelProto model, int width, PagedArithmetic arithmetic) {
        GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
        Map<String, DataType> inputs = new HashMap<>();
        for (ValueInfoProto info : model.getGraph().getInputList()) {
            inputs.put(
                    info.getName(),
                    DataType.forNumber(info.getType().getTensorType().getElemType()));
        }
        for (NodeProto node : model.getGraph().getNodeList()) {
            if (node.getOpType().equals("PagedAttention")) {
                new PlainAttention(graph, node, width, arithmetic, inputs.get(node.getInput(3))).write();
            } else {
                graph.addNode(node);
            }
        }
        return model.toBuilder().setGraph(graph).build();
    }

    private void write() {
        int group = heads / kvHeads;
        // Which sequence each token is of, and where in it.
        String tokens = op("Shape", "tokens", List.of(node.getInput(0)), integer("start", 0), integer("end", 1));
        String index = op("Range", "index", scalar(0), op("Squeeze", "count", tokens), scalar(1));
        String cumulative = cast("cumulative", node.getInput(5), DataType.INT64);
        String starts = op("Slice", "starts", cumulative, longs(0), longs(-1), longs(0));
        String ends = op("Slice", "ends", cumulative, longs(1), longs(Integer.MAX_VALUE), longs(0));
        String isBehind = op(
                "GreaterOrEqual",
                "isBehind",
                op("Unsqueeze", "indexColumn", index, longs(1)),
                op("Unsqueeze", "endsRow", ends, longs(0)));
        String sequence = op(
                "ReduceSum",
                "sequence",
                List.of(cast("behind", isBehind, DataType.INT64), longs(1)),
                integer("keepdims", 0));
        String offset = op("Sub", "offset", index, op("Gather", "start", starts, sequence));
        String past = op("Gather", "past", cast("pasts", node.getInput(6), DataType.INT64), sequence);
        String position = op("Add", "position", past, offset);

        String rows = op(
                "Reshape",
                "rows",
                cast("floats", node.getInput(0), DataType.FLOAT),
                longs(-1, heads + 2 * kvHeads, headSize));
        split(rows, List.of("query", "key", "value"), 1, heads, kvHeads, kvHeads);
        String query = rotated("query", position);
        String key = rotated("key", position);

        String places = places(sequence);
        String keys = cached("keys", 3, 14, key, places);
        String values = cached("values", 4, 15, name + "value", places);

        String scores = op(
                "MatMul",
                "products",
                op("Reshape", "queryGroups", query, longs(-1, kvHeads, group, headSize)),
                op("Transpose", "keysTurned", List.of(keys), integers("perm", 0, 2, 3, 1)));
        String scaled = op("Mul", "scores", scores, number((float) (1 / Math.sqrt(headSize))));
        String visible = visible(position, offset, places);
        String seenBy = op("Unsqueeze", "visibleScores", visible, longs(1, 2));
        String masked = op("Where", "masked", seenBy, scaled, number(Float.NEGATIVE_INFINITY));
        String seen = op("Where", "seen", op("Unsqueeze", "visibleValues", visible, longs(2, 3)), values, number(0));
        String weights = op("Softmax", "weights", List.of(masked), integer("axis", -1));
        String attended = op(
                "MatMul",
                "attended",
                weights,
                op("Transpose", "valuesTurned", List.of(seen), integers("perm", 0, 2, 1, 3)));
        String flat = op("Reshape", "flat", attended, longs(-1, (long) heads * headSize));
        add(
                "Cast",
                node.getOutput(0),
                List.of(rounded("output", flat)),
                integer("to", arithmetic.type().getNumber()));
    }

    private String rotated(String what, String position) {
        if (!isRotary()) {
            return name + what;
        }
        String cosine = angles(what + "Cosines", node.getInput(8), position);
        String sine = angles(what + "Sines", node.getInput(9), position);
        int half = headSize / 2;
        split(name + what, List.of(what + "First", what + "Second"), 2, half, half);
        String first = name + what + "First";
        String second = name + what + "Second";
        String newFirst =
                op("Sub", what + "NewFirst", op("Mul", what + "A", first, cosine), op("Mul", what + "B", second, sine));
        String newSecond = op(
                "Add", what + "NewSecond", op("Mul", what + "C", second, cosine), op("Mul", what + "D", first, sine));
        return op("Concat", what + "Rotated", List.of(newFirst, newSecond), integer("axis", 2));
    }

    private String angles(String what, String table, String position) {
        String chosen = cast(what + "Chosen", op("Gather", what, table, position), DataType.FLOAT);
        return op("Unsqueeze", what + "OfHeads", chosen, longs(1));
    }

    /** Where each token's sequence has its positions, {@code [tokens, positions]}. */
    private String places(String sequence) {
        String table = op("Max", "table", cast("blocks", node.getInput(7), DataType.INT64), scalar(0));
        String blocks = op("Gather", "ownBlocks", table, sequence);
        String size = op("Shape", "blockSize", List.of(node.getInput(3)), integer("start", 1), integer("end", 2));
        String within = op("Range", "within", scalar(0), op("Squeeze", "blockTokens", size), scalar(1));
        String first = op("Unsqueeze", "firstPlaces", op("Mul", "begin", blocks, size), longs(2));
        return op("Reshape", "places", op("Add", "allPlaces", first, within), longs(0, -1));
    }

    /** Writes the step's own, then reads what each token's sequence has: {@code [tokens, positions, kv heads, head size]}. */
    private String cached(String what, int input, int scaleInput, String own, String places) {
        String slots = cast(what + "Slots", node.getInput(10), DataType.INT64);
        String isWritten = op("GreaterOrEqual", what + "IsWritten", slots, scalar(0));
        String which = op("Squeeze", what + "Which", op("NonZero", what + "NonZero", isWritten), longs(0));
        String targets = op("Unsqueeze", what + "Targets", op("Gather", what + "Target", slots, which), longs(1));
        String written = op("Gather", what + "Written", own, which);
        String flat = op("Reshape", what + "Flat", node.getInput(input), longs(-1, kvHeads, headSize));
        String scale = node.getInput(scaleInput);
        if (!scale.isEmpty()) {
            String steps = op("Round", what + "Steps", op("Div", what + "Divided", written, scale));
            written = op("Clip", what + "Clipped", steps, number(-128), number(127));
        } else {
            written = rounded(what, written);
        }
        String updated = op("ScatterND", what + "Updated", flat, targets, cast(what + "Stored", written, cacheType));
        String shape = op("Shape", what + "Shape", node.getInput(input));
        add("Reshape", node.getOutput(input - 2), List.of(updated, shape));
        String read = cast(what + "Read", op("Gather", what + "Gathered", updated, places), DataType.FLOAT);
        return scale.isEmpty() ? read : op("Mul", what + "Scaled", read, scale);
    }

    /** What a token attends to, {@code [tokens, positions]}. */
    private String visible(String position, String offset, String places) {
        String count = op("Shape", "positions", List.of(places), integer("start", 1), integer("end", 2));
        String each = op("Range", "each", scalar(0), op("Squeeze", "length", count), scalar(1));
        String column = op("Unsqueeze", "positionColumn", position, longs(1));
        String visible = op("LessOrEqual", "isBefore", each, column);
        String bounds = cast("bounds", node.getInput(16), DataType.INT64);
        String mostNew = op("Gather", "mostNew", bounds, scalar(0));
        String most = op("Gather", "most", bounds, scalar(1));
        String isNew = op("Unsqueeze", "isNewColumn", op("Less", "isNew", offset, mostNew), longs(1));
        visible = op("And", "isBounded", visible, op("And", "isInBounds", op("Less", "isBelow", each, most), isNew));
        if (attributes.containsKey("local_window_size")) {
            String first = op(
                    "Sub",
                    "windowStart",
                    column,
                    scalar(attributes.get("local_window_size").getI()));
            visible = op("And", "isNear", visible, op("Greater", "isInWindow", each, first));
        }
        return visible;
    }

    /** As far as numbers of sixteen bits are told in float32. */
    private String rounded(String what, String x) {
        if (arithmetic != PagedArithmetic.ROUNDED) {
            return x;
        }
        return cast(what + "Rounded", cast(what + "Halves", x, DataType.BFLOAT16), DataType.FLOAT);
    }

    // ---- Nodes and constants

    private String op(String operator, String output, String... inputs) {
        return op(operator, output, List.of(inputs));
    }

    private String op(String operator, String output, List<String> inputs, AttributeProto... with) {
        return add(operator, name + output, inputs, with);
    }

    private String cast(String output, String input, DataType to) {
        return op("Cast", output, List.of(input), integer("to", to.getNumber()));
    }

    private void split(String input, List<String> outputs, int axis, long... sizes) {
        NodeProto.Builder split = NodeProto.newBuilder()
                .setOpType("Split")
                .setName(input + "/Split")
                .addInput(input)
                .addInput(longs(sizes))
                .addAttribute(integer("axis", axis));
        outputs.forEach(output -> split.addOutput(name + output));
        graph.addNode(split);
    }

    private String add(String operator, String output, List<String> inputs, AttributeProto... with) {
        graph.addNode(NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output + "/" + operator)
                .addAllInput(inputs)
                .addAllAttribute(List.of(with))
                .addOutput(output));
        return output;
    }

    private static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    private static AttributeProto integers(String name, long... values) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INTS);
        for (long value : values) {
            attribute.addInts(value);
        }
        return attribute.build();
    }

    private String longs(long... values) {
        return constant(DataType.INT64, LittleEndian.bytes(values), values.length);
    }

    private String scalar(long value) {
        return constant(DataType.INT64, LittleEndian.bytes(new long[] {value}));
    }

    private String number(float value) {
        return constant(DataType.FLOAT, LittleEndian.bytes(value));
    }

    private String constant(DataType type, byte[] data, long... dims) {
        String constant = name + "const" + graph.getInitializerCount();
        TensorProto.Builder tensor = TensorProto.newBuilder()
                .setName(constant)
                .setDataType(type.getNumber())
                .setRawData(ByteString.copyFrom(data));
        for (long dim : dims) {
            tensor.addDims(dim);
        }
        graph.addInitializer(tensor);
        return constant;
    }
}
