package dev.voxgrad.engine.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.Safetensors;
import dev.voxgrad.engine.SafetensorsWriter;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParametersTest {
    private static final String WEIGHT = "encoder.stages.0.0.convs.0.conv.weight";
    private static final String ALIAS = "decoder.encoder.stages.0.0.convs.0.all_modules.0.weight";
    private static final NetworkSpec SPEC = Networks.plainUNet(
            1, 2, List.of(2, 3), List.of(List.of(3, 3), List.of(3, 3)), List.of(List.of(1, 1), List.of(2, 2)), false);

    private static Parameters parameters(Scope scope) {
        Parameters p = Networks.create(SPEC, scope).parameters();
        p.initialize(Initializer.PYTORCH_DEFAULT, 3);
        return p;
    }

    private static Map<String, StateTensor> state() {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope()) {
            return new LinkedHashMap<>(parameters(scope).export());
        }
    }

    private static void load(Map<String, StateTensor> state) {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope()) {
            Parameters p = parameters(scope);
            p.initialize(Initializer.HE_LEAKY, 4);
            p.load(state);
            Map<String, StateTensor> again = p.export();
            StateDict.canonical(state)
                    .forEach(
                            (name, t) -> assertThat(t.sameBits(again.get(name))).isTrue());
        }
    }

    @Test
    void twoDimensionalKernelsAreExportedWithoutDepth() {
        assertThat(state().get(WEIGHT).shape()).containsExactly(2L, 1L, 3L, 3L);
        assertThat(state().get("decoder.transpconvs.0.weight").shape()).containsExactly(3L, 2L, 2L, 2L);
    }

    @Test
    void fileRoundTripKeepsEveryBit(@TempDir Path folder) {
        Map<String, StateTensor> state = state();
        SafetensorsWriter writer = new SafetensorsWriter();
        StateDict.write(state, writer);
        writer.writeTo(folder.resolve("weights.safetensors"));
        try (Safetensors file = Safetensors.open(folder.resolve("weights.safetensors"))) {
            load(StateDict.read(file));
        }
    }

    @Test
    void tensorUnderItsAliasOnlyIsFound() {
        Map<String, StateTensor> state = state();
        state.put("module." + ALIAS, state.remove(WEIGHT));
        load(state);
    }

    @Test
    void copiesThatDifferAreRefused() {
        Map<String, StateTensor> state = state();
        float[] changed = state.get(WEIGHT).values().clone();
        changed[3] = Math.nextUp(changed[3]);
        state.put(ALIAS, new StateTensor(state.get(WEIGHT).shape(), changed));
        assertThatThrownBy(() -> load(state))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(WEIGHT)
                .hasMessageContaining(ALIAS);
    }

    @Test
    void allMissingUnexpectedAndMisshapedNamesAreInOneError() {
        Map<String, StateTensor> state = state();
        state.remove(WEIGHT);
        state.put("decoder.seg_layers.0.bias", new StateTensor(List.of(3L), new float[3]));
        state.put("head.weight", new StateTensor(List.of(), new float[1]));
        assertThatThrownBy(() -> load(state))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("in 3 places")
                .hasMessageContaining("missing " + WEIGHT + " [2, 1, 3, 3]")
                .hasMessageContaining("decoder.seg_layers.0.bias is [3], not [2]")
                .hasMessageContaining("unexpected head.weight");
    }
}
