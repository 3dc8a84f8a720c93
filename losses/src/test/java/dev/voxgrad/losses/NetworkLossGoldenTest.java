package dev.voxgrad.losses;

import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.golden.Devices;
import dev.voxgrad.golden.GoldenCase;
import dev.voxgrad.golden.GoldenNetworks;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** A network under deep supervision with Dice and cross entropy: the gradient of every parameter, from logits to the first weight. */
class NetworkLossGoldenTest {
    @TestFactory
    Stream<DynamicTest> matchesReference() {
        return GoldenStep.tests(c -> Devices.each(device -> check(c.on(device.name()), device)));
    }

    private static void check(GoldenCase golden, Device device) {
        try (Scope scope = device.scope()) {
            GoldenStep step = new GoldenStep(golden, scope);
            GoldenStep.Result result = step.run(scope);
            golden.check("out/loss", result.loss().toArray());
            // The head of weight 0 is not evaluated; the reference has zeros for it.
            GoldenNetworks.gradients(step.parameters(), result.gradients())
                    .forEach((name, gradient) -> golden.check("loss/" + name, gradient));
        }
    }
}
