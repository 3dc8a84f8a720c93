package dev.voxgrad.bench.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes an ONNX model with float tensors: the few messages of {@code onnx.proto} that a feed-forward network needs, in the wire format
 * of protocol buffers (a key = field number and wire type, then a varint, four bytes, or a length and bytes).
 */
final class OnnxModel {
    /** IR and operator set 18, the first with Mish; ONNX Runtime reads all older ones. */
    private static final int IR_VERSION = 8;

    private static final int OPERATOR_SET = 18;
    private static final int FLOAT = 1; // TensorProto.DataType
    private static final int ATTRIBUTE_FLOAT = 1; // AttributeProto.AttributeType
    private static final int ATTRIBUTE_INT = 2;
    private static final int ATTRIBUTE_INTS = 7;

    private static final int VARINT = 0;
    private static final int BYTES = 2;
    private static final int FOUR_BYTES = 5;

    private final Message graph = new Message();
    private int nodes;

    /** A message under construction; fields in the order of their writing, which readers do not depend on. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message integer(int field, long value) {
            varint((long) field << 3 | VARINT);
            varint(value);
            return this;
        }

        Message real(int field, double value) {
            varint((long) field << 3 | FOUR_BYTES);
            out.writeBytes(little(Float.BYTES).putFloat((float) value).array());
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message value) {
            return bytes(field, value.out.toByteArray());
        }

        Message bytes(int field, byte[] value) {
            varint((long) field << 3 | BYTES);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A named attribute of a node. */
    static final class Attribute {
        private final Message message = new Message();

        private Attribute(String name, int type) {
            message.text(1, name).integer(20, type);
        }

        static Attribute of(String name, double value) {
            Attribute attribute = new Attribute(name, ATTRIBUTE_FLOAT);
            attribute.message.real(2, value);
            return attribute;
        }

        static Attribute of(String name, long value) {
            Attribute attribute = new Attribute(name, ATTRIBUTE_INT);
            attribute.message.integer(3, value);
            return attribute;
        }

        static Attribute of(String name, long[] values) {
            Attribute attribute = new Attribute(name, ATTRIBUTE_INTS);
            Arrays.stream(values).forEach(value -> attribute.message.integer(8, value));
            return attribute;
        }
    }

    /** Adds an operator and returns the name of its output. */
    String node(String operator, List<String> inputs, Attribute... attributes) {
        String output = "t" + nodes++;
        Message node = new Message();
        inputs.forEach(input -> node.text(1, input));
        node.text(2, output).text(4, operator);
        Arrays.stream(attributes).forEach(attribute -> node.message(5, attribute.message));
        graph.message(1, node);
        return output;
    }

    /** Adds a constant tensor. */
    String constant(String name, long[] sizes, float[] values) {
        ByteBuffer raw = little(values.length * Float.BYTES);
        raw.asFloatBuffer().put(values);
        Message tensor = new Message();
        Arrays.stream(sizes).forEach(size -> tensor.integer(1, size));
        graph.message(5, tensor.integer(2, FLOAT).text(8, name).bytes(9, raw.array()));
        return name;
    }

    /** Declares the input and returns its name. */
    String input(String name, long[] sizes) {
        Message shape = new Message();
        Arrays.stream(sizes).forEach(size -> shape.message(1, new Message().integer(1, size)));
        graph.message(11, value(name, new Message().integer(1, FLOAT).message(2, shape)));
        return name;
    }

    /** The whole file with one output, whose size follows from the graph. */
    byte[] bytes(String output) {
        graph.text(2, "network").message(12, value(output, new Message().integer(1, FLOAT)));
        return new Message()
                .integer(1, IR_VERSION)
                .message(7, graph)
                .message(8, new Message().text(1, "").integer(2, OPERATOR_SET))
                .out
                .toByteArray();
    }

    private static Message value(String name, Message tensorType) {
        return new Message().text(1, name).message(2, new Message().message(1, tensorType));
    }
}
