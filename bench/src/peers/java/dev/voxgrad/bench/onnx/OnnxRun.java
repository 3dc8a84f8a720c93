package dev.voxgrad.bench.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.voxgrad.bench.Side;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.FloatBuffer;
import java.util.Map;

/** A graph on one input. The input lies in native memory before, the output stays there: neither copy is timed. */
final class OnnxRun implements Side.Run {
    private final String answerName;
    private final OnnxSession session;

    OnnxRun(OnnxSession session, String answerName, Shape shape, float[] values) {
        this.answerName = answerName;
        this.session = session;
        session.input().put(0, ChannelsFirst.of(values, shape));
    }

    @Override
    public Map<String, float[]> answer() {
        try (OrtSession.Result result = session.run()) {
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
        try (OrtSession.Result result = session.run()) {
            double ms = (System.nanoTime() - start) / 1e6;
            assert result.size() == 1;
            return ms;
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        session.close();
    }
}
