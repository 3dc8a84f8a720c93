package dev.voxgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.bench.Budget.Share;
import dev.voxgrad.engine.tensor.Precision;
import dev.voxgrad.engine.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

class BudgetTest {
    @Test
    void everyRunHasTheSameCallsAndSomeTimeOnBothSides() {
        NetworkProblem tiny = new NetworkProblem(
                "tiny",
                NetworkProblem.network("plain", 2, 1, 2, List.of(4, 6)),
                new Shape(1, 1, 8, 8, 1),
                Precision.DEFAULT);
        List<Share> shares = Budget.shares(tiny, Direction.STEP, 1, 1, 3);
        assertThat(shares).hasSize(3).allSatisfy(share -> {
            assertThat(share.calls()).isEqualTo(shares.getFirst().calls()).isGreaterThan(20);
            assertThat(share.kernelMs()).isPositive();
            assertThat(share.engineMs()).isPositive();
        });
    }

    @Test
    void theMedianIsThatOfTheEnginesShare() {
        Share half = new Share(1, 2, 1);
        assertThat(Budget.median(List.of(new Share(1, 1, 1), half, new Share(1, 100, 1))))
                .isEqualTo(half);
    }

    @Test
    void limitsAreTwoPercentOfTheKernelsAndOneMillisecond() {
        Share good = new Share(1, 100, 1.9);
        Share bad = new Share(1, 100, 2.1);
        assertThat(Budget.checks(good, new Share(1, 1, 0.9))).allMatch(Check::met);
        assertThat(Budget.checks(bad, new Share(1, 100, 1.1))).noneMatch(Check::met);
    }
}
