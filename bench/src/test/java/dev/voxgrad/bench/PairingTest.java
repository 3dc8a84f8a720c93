package dev.voxgrad.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.engine.tensor.Shape;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class PairingTest {
    private static final Problem PROBLEM = ConvProblem.of("conv", new Shape(1, 4, 4, 4, 2), 2, 3, 1);

    private final List<String> turns = new ArrayList<>();

    /** A side that takes no time and says that it took some. */
    private Opened side(String name, double ms, OptionalDouble first) {
        Side.Run run = new Side.Run() {
            @Override
            public Map<String, float[]> answer() {
                return Map.of();
            }

            @Override
            public double milliseconds() {
                if (turns.isEmpty() || !turns.getLast().equals(name)) {
                    turns.add(name);
                }
                return ms;
            }

            @Override
            public void close() {}
        };
        return new Opened(new Ours(), PROBLEM, Direction.FORWARD, name, run, Map.of(), 0, first);
    }

    @Test
    void sidesTakeTurns() {
        List<Opened> sides = List.of(side("a", 1, OptionalDouble.empty()), side("b", 2, OptionalDouble.empty()));
        assertThat(Pairing.times(sides, new Pairing.Limit(0, 3)))
                .containsExactly(new Pairing.Times(1, 3), new Pairing.Times(2, 3));
        assertThat(turns).containsExactly("a", "b", "a", "b", "a", "b");
    }

    @Test
    void aLongRunCountsOnceBesideShortOnes() {
        List<Opened> sides = List.of(side("a", 1, OptionalDouble.empty()), side("b", 2, OptionalDouble.of(30_000)));
        assertThat(Pairing.times(sides, new Pairing.Limit(0, 3)))
                .containsExactly(new Pairing.Times(1, 3), new Pairing.Times(30_000, 1));
        assertThat(turns).containsExactly("a");
    }

    @Test
    void firstRunsAreTheFirstRoundAndAnotherOneHasToFit() {
        List<Opened> sides = List.of(side("a", 30, OptionalDouble.of(30)), side("b", 50, OptionalDouble.of(50)));
        assertThat(Pairing.times(sides, new Pairing.Limit(0.159, 3)))
                .containsExactly(new Pairing.Times(30, 1), new Pairing.Times(50, 1));
        assertThat(turns).isEmpty();
        // Its turns of 50 ms and their pauses leave no time for a third one.
        assertThat(Pairing.times(sides, new Pairing.Limit(0.161, 3)))
                .containsExactly(new Pairing.Times(30, 2), new Pairing.Times(50, 2));
        assertThat(turns).containsExactly("a", "b");
    }

    @Test
    void timeLeftIsSaidAfterTwoSecondsAndEveryTen() {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        TimeLeft left = new TimeLeft("side", new PrintStream(said, true, StandardCharsets.UTF_8));
        for (int done = 1; done <= 300; done++) {
            left.tiles(done, 300, done * 1.0);
        }
        assertThat(said.toString(StandardCharsets.UTF_8).lines())
                .hasSize(30)
                .startsWith("side: 2 of 300 tiles, 5 min left", "side: 12 of 300 tiles, 5 min left")
                .endsWith("side: 292 of 300 tiles, 8 s left");
    }
}
