package dev.voxgrad.engine.metric;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.plan.LabelNames;
import dev.voxgrad.engine.plan.Plans;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What settings may not be. */
class EvaluationSettingsTest {
    private static final LabelNames NAMES = new LabelNames(Plans.labels("a", "b"));
    private static final EvaluationSettings DICE = EvaluationSettings.standard(NAMES);
    private static final CalibrationArea EVERYWHERE = CalibrationArea.parse("all");

    @Test
    void regionsNeedTheirOwnNamesAndLabels() {
        for (Region twice : List.of(Region.parse("a=2", NAMES), Region.ofLabel(1, "c"))) {
            List<Region> regions = List.of(Region.ofLabel(1, "a"), twice);
            assertThatThrownBy(() -> new EvaluationSettings(
                            NAMES, regions, DICE.metrics(), DICE.options(), DICE.tolerances(), 10, EVERYWHERE))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("two");
        }
    }

    @Test
    void settingsThatCannotWorkAreRefused() {
        for (int bins : new int[] {-1, 0, 1001}) {
            assertThatThrownBy(() -> new EvaluationSettings(
                            NAMES, DICE.regions(), DICE.metrics(), DICE.options(), DICE.tolerances(), bins, EVERYWHERE))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining(bins + " bins");
        }
        LesionOptions bySize = new LesionOptions(26, 0, 0.5, 0, List.of(10.0));
        CaseMetrics.Options options = new CaseMetrics.Options(1, Surface.FACES, bySize, EmptyCases.NAN);
        assertThatThrownBy(() -> new EvaluationSettings(
                        NAMES, DICE.regions(), DICE.metrics(), options, DICE.tolerances(), 10, EVERYWHERE))
                .isInstanceOf(ConfigException.class)
                .hasMessageContainingAll("size bins [10.0]", "lesion_recall");
    }
}
