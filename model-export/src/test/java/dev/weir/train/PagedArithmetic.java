package dev.weir.train;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import java.util.List;

/** What a paged graph is calculated in on the CPU, which has products of half floats but none of bfloat16. Any thread. */
enum PagedArithmetic {
    /** A graph in half floats as it is. */
    HALF(DataType.FLOAT16),
    /** A graph in bfloat16 whose numbers are float32: what it means. */
    WIDENED(DataType.FLOAT),
    /** The same with what each node calculates rounded to bfloat16, as a GPU does: what that costs. */
    ROUNDED(DataType.FLOAT);

    private final DataType type;

    PagedArithmetic(DataType type) {
        this.type = type;
    }

    /** Of the numbers that go in and out of a graph's parts. */
    DataType type() {
        return type;
    }

    /** A model that the CPU calculates so. */
    ModelProto of(ModelProto model) {
        if (this == HALF) {
            return model;
        }
        GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
        graph.getInitializerBuilderList().forEach(PagedArithmetic::widen);
        widen(graph.getInputBuilderList());
        widen(graph.getOutputBuilderList());
        widen(graph.getValueInfoBuilderList());
        for (NodeProto node : model.getGraph().getNodeList()) {
            if (this == WIDENED || List.of("Cast", "PagedAttention").contains(node.getOpType())) {
                graph.addNode(widen(node));
            } else {
                addRounded(graph, node);
            }
        }
        return model.toBuilder().setGraph(graph).build();
    }

    private static void widen(TensorProto.Builder tensor) {
        if (tensor.getDataType() == DataType.BFLOAT16.getNumber()) {
            byte[] halves = tensor.getRawData().toByteArray();
            byte[] floats = new byte[2 * halves.length];
            for (int i = 0; i < halves.length; i += Short.BYTES) { // little-endian: the upper half is the later one
                System.arraycopy(halves, i, floats, 2 * i + Short.BYTES, Short.BYTES);
            }
            tensor.setDataType(DataType.FLOAT.getNumber()).setRawData(ByteString.copyFrom(floats));
        }
    }

    private static void widen(List<ValueInfoProto.Builder> infos) {
        for (ValueInfoProto.Builder info : infos) {
            TypeProto.Tensor.Builder tensor = info.getTypeBuilder().getTensorTypeBuilder();
            if (tensor.getElemType() == DataType.BFLOAT16.getNumber()) {
                tensor.setElemType(DataType.FLOAT.getNumber());
            }
        }
    }

    private static NodeProto widen(NodeProto node) {
        NodeProto.Builder widened = node.toBuilder();
        for (AttributeProto.Builder attribute : widened.getAttributeBuilderList()) {
            if (attribute.getName().equals("to") && attribute.getI() == DataType.BFLOAT16.getNumber()) {
                attribute.setI(DataType.FLOAT.getNumber());
            }
        }
        return widened.build();
    }

    /** All that these graphs calculate but their attention and their casts is bfloat16. */
    private static void addRounded(GraphProto.Builder graph, NodeProto node) {
        NodeProto.Builder exact = node.toBuilder().clearOutput();
        for (String output : node.getOutputList()) {
            exact.addOutput(output.isEmpty() ? output : output + "/exact");
        }
        graph.addNode(exact);
        for (String output : node.getOutputList()) {
            if (!output.isEmpty()) {
                graph.addNode(cast(output + "/exact", output + "/rounded", DataType.BFLOAT16));
                graph.addNode(cast(output + "/rounded", output, DataType.FLOAT));
            }
        }
    }

    private static NodeProto cast(String input, String output, DataType type) {
        return NodeProto.newBuilder()
                .setOpType("Cast")
                .setName(output + "/Cast")
                .addInput(input)
                .addOutput(output)
                .addAttribute(AttributeProto.newBuilder()
                        .setName("to")
                        .setType(AttributeProto.AttributeType.INT)
                        .setI(type.getNumber()))
                .build();
    }
}
