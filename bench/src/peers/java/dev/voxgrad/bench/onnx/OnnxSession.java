package dev.voxgrad.bench.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.voxgrad.engine.tensor.Shape;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Map;

/** A graph that is ready to run, with its only input in native memory, N,C,D,H,W or N,C,H,W. */
final class OnnxSession implements AutoCloseable {
    private final OrtSession.SessionOptions options;
    private final OrtSession session;
    private final FloatBuffer input;
    private final OnnxTensor inputTensor;
    private final Map<String, OnnxTensor> inputs;

    OnnxSession(OrtEnvironment environment, int threads, byte[] model, Shape shape) {
        try {
            options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            session = environment.createSession(model, options);
            input = ByteBuffer.allocateDirect(Math.toIntExact(shape.elements()) * Float.BYTES)
                    .order(ByteOrder.nativeOrder())
                    .asFloatBuffer();
            inputTensor =
                    OnnxTensor.createTensor(environment, input, ChannelsFirst.sizes(shape, OnnxRuntime.dim(shape)));
            inputs = Map.of(session.getInputNames().iterator().next(), inputTensor);
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }

    /** What the next run reads. */
    FloatBuffer input() {
        return input;
    }

    /** Runs the graph once; the result belongs to the caller. */
    OrtSession.Result run() throws OrtException {
        return session.run(inputs);
    }

    @Override
    public void close() {
        try {
            inputTensor.close();
            session.close();
            options.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
