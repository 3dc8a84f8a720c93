package dev.voxgrad.engine.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.bindings.NativeException;
import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OutputsTest {
    private static byte[] labels(Outputs outputs, int channels, float... logits) {
        try (Device device = Device.cpu(1);
                Scope scope = device.scope()) {
            Shape shape = new Shape(1, 1, 1, logits.length / channels, channels);
            return outputs.labels(Tape.inference(scope), scope.tensor(shape, logits))
                    .toArray();
        }
    }

    @Test
    void softmaxTakesTheLargestLogit() {
        assertThat(labels(Outputs.SOFTMAX, 2, -2, -1, 0, 0, 3, 2)).containsExactly(1, 0, 0);
    }

    @Test
    void sigmoidTakesTheLargestLogitAboveZero() {
        assertThat(labels(Outputs.SIGMOID, 1, -0.1f, 0, 1e-6f, 3)).containsExactly(0, 0, 1, 1);
        assertThat(labels(Outputs.SIGMOID, 2, -2, -1, 0, 0, 1, 2, 3, 3)).containsExactly(0, 0, 2, 1);
    }

    @Test
    void aNanIsNoBackground() {
        for (Outputs outputs : Outputs.values()) {
            assertThatThrownBy(() -> labels(outputs, 2, 1, Float.NaN)).isInstanceOf(NativeException.class);
        }
    }

    @Test
    void ignoreHasNoChannel() {
        LabelNames labels = new LabelNames(Map.of("background", 0, "a", 1, "b", 2, "ignore", 3));
        assertThat(Outputs.SOFTMAX.channels(labels)).isEqualTo(3);
        assertThat(Outputs.SIGMOID.channels(labels)).isEqualTo(2);
    }
}
