package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.SafetensorsWriter;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names of saved PyTorch checkpoints. nnU-Net lists a tensor up to four times: the conv and the norm of a block again as
 * {@code all_modules.0} and {@code all_modules.1}, and the whole encoder again under {@code decoder.encoder}. Wrappers for several
 * GPUs and for compilation add prefixes.
 */
public final class StateDict {
    private StateDict() {}

    /**
     * One entry for each tensor, under its plain name.
     *
     * @throws DataException when two copies of a tensor differ in any bit
     */
    public static Map<String, StateTensor> canonical(Map<String, StateTensor> state) {
        Map<String, StateTensor> canonical = new LinkedHashMap<>();
        Map<String, String> origins = new LinkedHashMap<>();
        state.forEach((name, tensor) -> {
            String plain = canonical(name);
            StateTensor present = canonical.putIfAbsent(plain, tensor);
            String origin = origins.putIfAbsent(plain, name);
            if (present != null && !present.sameBits(tensor)) {
                throw new DataException("weights: " + name + " and " + origin
                        + " are copies of one tensor, but they differ; the file is" + " damaged or was edited");
            }
        });
        return canonical;
    }

    /** All tensors of a file as float32, under the names they have there. */
    public static Map<String, StateTensor> read(Safetensors file) {
        Map<String, StateTensor> state = new LinkedHashMap<>();
        for (String name : file.names()) {
            state.put(name, new StateTensor(file.shape(name), file.f32(name)));
        }
        return state;
    }

    /** Adds all tensors to a file. */
    public static void write(Map<String, StateTensor> state, SafetensorsWriter file) {
        state.forEach((name, tensor) -> file.f32(
                name,
                tensor.values(),
                tensor.shape().stream().mapToLong(Long::longValue).toArray()));
    }

    /** The plain name of a tensor that may be listed under an alias. */
    public static String canonical(String name) {
        String plain = name;
        while (plain.startsWith("module.") || plain.startsWith("_orig_mod.")) {
            plain = plain.substring(plain.indexOf('.') + 1);
        }
        if (plain.startsWith("decoder.encoder.")) {
            plain = plain.substring("decoder.".length());
        }
        return plain.replace(".all_modules.0.", ".conv.").replace(".all_modules.1.", ".norm.");
    }
}
