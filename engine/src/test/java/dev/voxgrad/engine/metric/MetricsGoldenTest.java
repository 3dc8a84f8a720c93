package dev.voxgrad.engine.metric;

import dev.voxgrad.golden.Golden;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Metrics against MONAI, nnU-Net, the surface-distance package and closed forms. */
class MetricsGoldenTest {
    @TestFactory
    Stream<DynamicTest> metricsMatchTheReferences() {
        Map<String, Golden.Handler> handlers = new LinkedHashMap<>(SetGolden.handlers());
        handlers.putAll(CaseGolden.handlers());
        return Golden.category("metrics").tests(handlers);
    }

    @TestFactory
    Stream<DynamicTest> summaryMatchesNnunet() {
        return Golden.category("pipeline").tests("evaluate", c -> c.expect().has("summary"), SetGolden::summary);
    }
}
