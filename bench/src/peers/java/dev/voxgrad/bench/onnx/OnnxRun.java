package dev.voxgrad.bench.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** A session with its input. The input lies in native memory before, the output stays there: neither copy is timed. */
final class OnnxRun implements Side.Run {
    private final String answerName;
    private final OrtSession.SessionOptions options;
    private final OrtSession session;
    private final OnnxTensor input;
    private final Map<String, OnnxTensor> inputs;

    OnnxRun(OrtEnvironment environment, int threads, byte[] model, String answerName, Shape shape, float[] values) {
        this.answerName = answerName;
        try {
            options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(model, options);
            FloatBuffer buffer = ByteBuffer.allocateDirect(values.length * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
            buffer.put(ChannelsFirst.of(values, shape)).flip();
            input = OnnxTensor.createTensor(environment, buffer, ChannelsFirst.sizes(shape, OnnxRuntime.dim(shape)));
            inputs = Map.of(session.getInputNames().iterator().next(), input);
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public Map<String, float[]> answer() {
        try (OrtSession.Result result = session.run(inputs)) {
            OnnxTensor output = (OnnxTensor) result.get(0);
            FloatBuffer buffer = output.getFloatBuffer();
            float[] values = new float[buffer.remaining()];
            buffer.get(values);
            long[] sizes = output.getInfo().getShape();
            return Map.of(answerName, ChannelsFirst.toChannelsLast(values, (int) sizes[0], (int) sizes[1]));
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (OrtSession.Result result = session.run(inputs)) {
            double ms = (System.nanoTime() - start) / 1e6;
            assert result.size() == 1;
            return ms;
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        try {
            input.close();
            session.close();
            options.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
