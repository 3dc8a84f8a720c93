package dev.voxgrad.cli.report;

import dev.voxgrad.cli.report.ReportData.CaseResult;
import dev.voxgrad.cli.report.ReportData.Epoch;
import dev.voxgrad.engine.image.Geometry;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.Volume;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A report of made-up numbers: a ball with a core, predicted a little to the side. */
final class SampleReport {
    private static final Grid GRID = new Grid(20, 28, 24);

    private SampleReport() {}

    static ReportData data() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("Data", "balls </script><script>alert(1)</script>");
        facts.put("Seed", "1234");
        List<Epoch> epochs = new ArrayList<>();
        for (int e = 1; e <= 20; e++) {
            double dice = 1 - 1.0 / (1 + 0.3 * e);
            epochs.add(new Epoch(e, 1.2 / e, e % 5 == 0 ? 1.4 / e : Double.NaN, List.of(dice, dice * dice)));
        }
        return new ReportData(
                "Balls & <cores>",
                "Two nested balls, predicted a little to the side.",
                Optional.of("Drawn data: the numbers say nothing about real images."),
                facts,
                List.of("ball", "core </script>"),
                epochs,
                List.of(
                        new CaseResult("ball 1", List.of(0.91, 0.72), Optional.of(view())),
                        new CaseResult("ball 2", List.of(0.88, Double.NaN), Optional.empty())));
    }

    static ReportData.View view() {
        Geometry geometry = Geometry.ofSpacing(3, 3, 3);
        short[] truth = balls(0);
        float[] image = new float[truth.length];
        for (int i = 0; i < image.length; i++) {
            image[i] = 40 * truth[i] + i % 7;
        }
        return new ReportData.View(
                new Volume(List.of(image), GRID, geometry),
                new LabelVolume(truth, GRID, geometry),
                new LabelVolume(balls(1.5), GRID, geometry));
    }

    private static short[] balls(double shift) {
        short[] labels = new short[GRID.voxels()];
        int i = 0;
        for (int z = 0; z < GRID.depth(); z++) {
            for (int y = 0; y < GRID.height(); y++) {
                for (int x = 0; x < GRID.width(); x++, i++) {
                    double r = Math.hypot(Math.hypot(z - 10, y - 14 - shift), x - 12);
                    labels[i] = (short) (r < 4 ? 2 : r < 8 ? 1 : 0);
                }
            }
        }
        return labels;
    }
}
