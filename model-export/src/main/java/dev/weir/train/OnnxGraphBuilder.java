package dev.weir.train;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * An ONNX graph under construction: nodes in the order of computation and the tensors that they read. Used by one thread;
 * {@link OnnxModelFile} writes what it holds.
 *
 * <p>Values are known by name. A node's outputs are named after the node, so that a profile or a failed run points at the
 * place in the transformer where it happened.
 */
final class OnnxGraphBuilder {
    static final String CONTRIB = "com.microsoft";
    /** ONNX operator set; 21 is the first with everything used here, and what ONNX Runtime 1.18 and later read. */
    private static final long OPSET = 21;
    /** File format of opset 21. */
    private static final long IR_VERSION = 10;

    private final GraphProto.Builder graph = GraphProto.newBuilder();
    private final List<Initializer> initializers = new ArrayList<>();
    private final Set<String> names = new HashSet<>();

    /**
     * A constant of the graph, made when it is written so that a large model is never in memory as a whole.
     *
     * @param data little-endian elements, row-major
     */
    record Initializer(String name, DataType type, List<Long> dims, Supplier<byte[]> data) {
        long bytes() {
            return dims.stream().reduce(1L, Math::multiplyExact) * elementBytes(type);
        }
    }

    OnnxGraphBuilder(String name) {
        graph.setName(name);
    }

    /** Declares a graph input; a dimension is a {@link Long} or {@link Integer} or the name of a dynamic size. */
    String input(String name, DataType type, Object... dims) {
        graph.addInput(valueInfo(name, type, dims));
        return unique(name);
    }

    /**
     * Declares a graph input that need not be given: then it is {@code data}, of the shape {@code defaults}. Given, each dimension
     * is a size or the name of a dynamic one, as those of {@link #input}.
     */
    String optionalInput(String name, Supplier<float[]> data, long[] defaults, Object... dims) {
        graph.addInput(valueInfo(name, DataType.FLOAT, dims));
        return floats(name, data, defaults);
    }

    /** The same of a vector of 32-bit integers. */
    String optionalInts(String name, int[] values, Object dim) {
        graph.addInput(valueInfo(name, DataType.INT32, dim));
        return constant(name, DataType.INT32, () -> LittleEndian.bytes(values), values.length);
    }

    /** Declares that a value which some node has computed is an output of the graph. */
    void output(String name, DataType type, Object... dims) {
        if (!names.contains(name)) {
            throw new IllegalStateException("no node computes the output " + name);
        }
        graph.addOutput(valueInfo(name, type, dims));
    }

    /** Adds a constant whose bytes are made later. */
    String constant(String name, DataType type, Supplier<byte[]> data, long... dims) {
        List<Long> shape = new ArrayList<>();
        for (long dim : dims) {
            shape.add(dim);
        }
        initializers.add(new Initializer(unique(name), type, List.copyOf(shape), data));
        return name;
    }

    String floats(String name, Supplier<float[]> data, long... dims) {
        return constant(name, DataType.FLOAT, () -> LittleEndian.bytes(data.get()), dims);
    }

    /** A scalar. */
    String scalar(String name, float value) {
        return constant(name, DataType.FLOAT, () -> LittleEndian.bytes(value));
    }

    /** A vector of numbers. */
    String scalars(String name, float... values) {
        return constant(name, DataType.FLOAT, () -> LittleEndian.bytes(values), values.length);
    }

    /** A vector of integers. */
    String longs(String name, long... values) {
        return constant(name, DataType.INT64, () -> LittleEndian.bytes(values), values.length);
    }

    /** A vector of integers that several parts of a graph use and the first of them declares. */
    String sharedLongs(String name, long... values) {
        return names.contains(name) ? name : longs(name, values);
    }

    /** Starts a node of the ONNX operator set. */
    Node node(String operator, String name) {
        return new Node("", operator, name);
    }

    /** Starts a node of ONNX Runtime's own operator set. */
    Node contrib(String operator, String name) {
        return new Node(CONTRIB, operator, name);
    }

    List<Initializer> initializers() {
        return List.copyOf(initializers);
    }

    /** The model without its constants, which {@link OnnxModelFile} adds. */
    ModelProto model(String producerVersion) {
        return ModelProto.newBuilder()
                .setIrVersion(IR_VERSION)
                .setProducerName("weir")
                .setProducerVersion(producerVersion)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET))
                .addOpsetImport(
                        OperatorSetIdProto.newBuilder().setDomain(CONTRIB).setVersion(1))
                .setGraph(graph)
                .build();
    }

    static int elementBytes(DataType type) {
        return switch (type) {
            case FLOAT, INT32 -> 4;
            case INT64 -> 8;
            case FLOAT16, BFLOAT16 -> 2;
            case INT8, UINT8 -> 1;
            default -> throw new IllegalArgumentException("element type " + type + " is not written here");
        };
    }

    private String unique(String name) {
        if (!names.add(name)) {
            throw new IllegalStateException("the graph has two values called " + name);
        }
        return name;
    }

    private static ValueInfoProto valueInfo(String name, DataType type, Object... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object dim : dims) {
            TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
            if (dim instanceof Number size) {
                dimension.setDimValue(size.longValue());
            } else {
                dimension.setDimParam(dim.toString());
            }
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder()
                                .setElemType(type.getNumber())
                                .setShape(shape)))
                .build();
    }

    /** One node under construction; ends with {@link #to} or {@link #out}. */
    final class Node {
        private final NodeProto.Builder proto = NodeProto.newBuilder();

        private Node(String domain, String operator, String name) {
            proto.setDomain(domain).setOpType(operator).setName(name);
        }

        /** Inputs in order; the empty name is an input left out. */
        Node in(String... inputs) {
            for (String input : inputs) {
                if (!input.isEmpty() && !names.contains(input)) {
                    throw new IllegalStateException(proto.getName() + " reads " + input + ", which nothing computes");
                }
                proto.addInput(input);
            }
            return this;
        }

        Node with(String attribute, long value) {
            proto.addAttribute(AttributeProto.newBuilder()
                    .setName(attribute)
                    .setType(AttributeProto.AttributeType.INT)
                    .setI(value));
            return this;
        }

        Node with(String attribute, float value) {
            proto.addAttribute(AttributeProto.newBuilder()
                    .setName(attribute)
                    .setType(AttributeProto.AttributeType.FLOAT)
                    .setF(value));
            return this;
        }

        Node with(String attribute, String value) {
            proto.addAttribute(AttributeProto.newBuilder()
                    .setName(attribute)
                    .setType(AttributeProto.AttributeType.STRING)
                    .setS(ByteString.copyFromUtf8(value)));
            return this;
        }

        /** Ends the node with these outputs; the empty name is an output left out. Returns the first. */
        String to(String... outputs) {
            for (String output : outputs) {
                proto.addOutput(output.isEmpty() ? output : unique(output));
            }
            graph.addNode(proto);
            return outputs[0];
        }

        /** Ends the node with a single output named after it. */
        String out() {
            return to(proto.getName());
        }
    }
}
