package dev.voxgrad.engine;

import dev.voxgrad.engine.infer.InferGolden;
import dev.voxgrad.engine.plan.PlanGolden;
import dev.voxgrad.golden.Golden;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The stages of the pipeline against nnU-Net and MONAI. */
class PipelineGoldenTest {
    @TestFactory
    Stream<DynamicTest> pipelineMatchesTheReferences() {
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>(PlanGolden.handlers());
        handlers.putAll(InferGolden.handlers());
        return Golden.category("pipeline").tests(handlers);
    }
}
