package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of a network by PyTorch's names, in the order of its state dict. The tensors live in the model's scope.
 *
 * <p>Memory holds PyTorch's tensors with the second axis moved last; {@link #export} and {@link #load} convert.
 */
public final class Parameters {
    private final Scope scope;
    private final int dim;
    private final List<ParameterSpec> specs;
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    /**
     * Allocates the tensors; their values are undefined until {@link #load} or {@link #initialize}.
     *
     * @param scope owner of the memory
     * @param dim 2 or 3: whether PyTorch's kernels have a depth axis
     */
    public Parameters(Scope scope, int dim, List<ParameterSpec> specs) {
        this.scope = scope;
        this.dim = dim;
        this.specs = List.copyOf(specs);
        for (ParameterSpec spec : specs) {
            if (tensors.put(spec.name(), scope.tensor(spec.shape())) != null) {
                throw new IllegalArgumentException("two parameters named " + spec.name());
            }
        }
    }

    /** The scope that owns the tensors. */
    public Scope scope() {
        return scope;
    }

    /** Names, roles and sizes in order. */
    public List<ParameterSpec> specs() {
        return specs;
    }

    /** All tensors by name, in order. */
    public Map<String, Tensor> byName() {
        return Collections.unmodifiableMap(tensors);
    }

    /** All tensors in order: the leaves of a training tape. */
    public Collection<Tensor> tensors() {
        return Collections.unmodifiableCollection(tensors.values());
    }

    /** One tensor. */
    public Tensor get(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("no parameter named " + name);
        }
        return tensor;
    }

    /** Number of elements. */
    public long count() {
        return ParameterSpec.count(specs);
    }

    /** Sets every parameter to its start value, which depends on seed and name only. */
    public void initialize(Initializer initializer, long seed) {
        for (ParameterSpec spec : specs) {
            get(spec.name()).set(initializer.values(spec, seed));
        }
    }

    /** Copies all parameters to the host in PyTorch's layout. */
    public Map<String, StateTensor> export() {
        return export(tensors);
    }

    /** Copies tensors that belong to the parameters, for example gradients, to the host in PyTorch's layout. */
    public Map<String, StateTensor> export(Map<String, Tensor> values) {
        Map<String, StateTensor> state = new LinkedHashMap<>();
        for (ParameterSpec spec : specs) {
            Tensor tensor = values.get(spec.name());
            if (tensor != null) {
                state.put(spec.name(), new StateTensor(spec.torchShape(dim), toTorch(spec, tensor.toArray())));
            }
        }
        return state;
    }

    /**
     * Sets all parameters from a PyTorch state dict. Prefixes and aliases of saved checkpoints are resolved by {@link StateDict}.
     *
     * @throws DataException naming all missing, unexpected and misshaped tensors; nothing is changed then
     */
    public void load(Map<String, StateTensor> state) {
        Map<String, StateTensor> canonical = StateDict.canonical(state);
        List<String> problems = new ArrayList<>();
        for (ParameterSpec spec : specs) {
            StateTensor tensor = canonical.get(spec.name());
            if (tensor == null) {
                problems.add("missing " + spec.name() + " " + spec.torchShape(dim));
            } else if (!tensor.shape().equals(spec.torchShape(dim))) {
                problems.add(spec.name() + " is " + tensor.shape() + ", not " + spec.torchShape(dim));
            }
        }
        for (String name : canonical.keySet()) {
            if (!tensors.containsKey(name)) {
                problems.add("unexpected " + name);
            }
        }
        if (!problems.isEmpty()) {
            throw new DataException("the weights do not fit this network in " + problems.size() + " places: "
                    + String.join("; ", problems) + ". Check that plan and weights belong together");
        }
        for (ParameterSpec spec : specs) {
            get(spec.name()).set(fromTorch(spec, canonical.get(spec.name()).values()));
        }
    }

    /** (A,B,k...) to [A,k...,B]; vectors stay. */
    private static float[] fromTorch(ParameterSpec spec, float[] values) {
        Shape s = spec.shape();
        return spec.role() == ParameterSpec.Role.WEIGHT ? transpose(values, s.c(), s.voxels()) : values;
    }

    /** [A,k...,B] to (A,B,k...); vectors stay. */
    private static float[] toTorch(ParameterSpec spec, float[] values) {
        Shape s = spec.shape();
        return spec.role() == ParameterSpec.Role.WEIGHT ? transpose(values, s.voxels(), s.c()) : values;
    }

    /** Swaps the last two axes of a tensor [...,rows,columns]. */
    private static float[] transpose(float[] values, long rows, long columns) {
        float[] swapped = new float[values.length];
        int r = Math.toIntExact(rows);
        int c = Math.toIntExact(columns);
        for (int start = 0; start < values.length; start += r * c) {
            for (int i = 0; i < r; i++) {
                for (int j = 0; j < c; j++) {
                    swapped[start + j * r + i] = values[start + i * c + j];
                }
            }
        }
        return swapped;
    }
}
