package dev.voxgrad.engine.train;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.SafetensorsWriter;
import dev.voxgrad.engine.nn.Parameters;
import dev.voxgrad.engine.nn.StateTensor;
import dev.voxgrad.engine.optim.OptimizerState;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A safetensors file with weights under PyTorch's names and layout, optimizer state under {@code optimizer/KIND.NAME} (in the engine's
 * own layout [A,kd,kh,kw,B]), and in its metadata the plan and the {@link TrainingState}. Equal training gives equal bytes.
 *
 * <p>The weights are those to predict with. With a moving average of the weights they are the average, and those that training goes on
 * with are under {@code optimizer/weight.NAME}.
 */
public final class Checkpoint {
    private static final String OPTIMIZER = "optimizer/";
    private static final String WEIGHT = "weight.";
    private static final String STATE = "voxgrad.state";
    private static final String STEPS = "voxgrad.optimizer_steps";
    private static final String PLAN = "voxgrad.plan";
    private static final String FORMAT = "format";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Checkpoint() {}

    /** Writes everything that a run needs to go on. */
    static void write(Path file, String planJson, Learned learned, TrainingState state) {
        Parameters parameters = learned.parameters();
        OptimizerState optimizer = learned.optimizer().state();
        SafetensorsWriter writer = new SafetensorsWriter()
                .metadata(FORMAT, "pt") // readers of PyTorch's world ask for it
                .metadata(PLAN, planJson)
                .metadata(STEPS, Long.toString(optimizer.steps()))
                .metadata(STATE, JSON.writeValueAsString(state));
        Map<String, StateTensor> weights = learned.withPredictionWeights(parameters::export);
        weights.forEach((name, tensor) -> add(writer, name, tensor));
        Map<String, Tensor> rest = new LinkedHashMap<>(optimizer.tensors(parameters));
        if (learned.average().isPresent()) {
            parameters.byName().forEach((name, tensor) -> rest.put(WEIGHT + name, tensor));
        }
        rest.forEach((name, tensor) -> writer.f32(OPTIMIZER + name, tensor.toArray(), sizes(tensor)));
        writer.writeTo(file);
    }

    private static void add(SafetensorsWriter writer, String name, StateTensor tensor) {
        writer.f32(
                name,
                tensor.values(),
                tensor.shape().stream().mapToLong(Long::longValue).toArray());
    }

    private static long[] sizes(Tensor tensor) {
        Shape s = tensor.shape();
        return new long[] {s.n(), s.d(), s.h(), s.w(), s.c()};
    }

    /**
     * Sets weights, their average and optimizer state from a file.
     *
     * @return where the run stood
     * @throws DataException when the file is damaged or belongs to another network
     */
    static TrainingState read(Path file, Learned learned) {
        try (Safetensors tensors = Safetensors.open(file)) {
            String state = tensors.metadata().get(STATE);
            String steps = tensors.metadata().get(STEPS);
            if (state == null || steps == null) {
                throw new DataException(
                        file + ": these are weights without training state; a run cannot be resumed from them");
            }
            Parameters parameters = learned.parameters();
            load(file, parameters, weights(tensors));
            learned.average().ifPresent(ema -> {
                ema.restart(parameters);
                parameters.byName().forEach((name, tensor) -> tensor.set(tensors.f32(OPTIMIZER + WEIGHT + name)));
            });
            OptimizerState optimizer = learned.optimizer().state();
            optimizer.tensors(parameters).forEach((name, tensor) -> tensor.set(tensors.f32(OPTIMIZER + name)));
            optimizer.resume(Long.parseLong(steps));
            return JSON.readValue(state, TrainingState.class);
        } catch (JacksonException | NumberFormatException e) {
            throw new DataException(
                    file + ": the training state in its metadata is damaged; take another checkpoint", e);
        }
    }

    /**
     * Sets the weights of a network from a checkpoint or from any safetensors file with PyTorch's names.
     *
     * @throws DataException naming what does not fit
     */
    public static void readWeights(Path file, Parameters parameters) {
        try (Safetensors tensors = Safetensors.open(file)) {
            load(file, parameters, weights(tensors));
        }
    }

    private static void load(Path file, Parameters parameters, Map<String, StateTensor> weights) {
        try {
            parameters.load(weights);
        } catch (DataException e) {
            throw new DataException(file + ": " + e.getMessage(), e);
        }
    }

    private static Map<String, StateTensor> weights(Safetensors tensors) {
        Map<String, StateTensor> weights = new LinkedHashMap<>();
        for (String name : tensors.names()) {
            if (!name.startsWith(OPTIMIZER)) {
                weights.put(name, new StateTensor(tensors.shape(name), tensors.f32(name)));
            }
        }
        return weights;
    }
}
