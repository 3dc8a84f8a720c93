package dev.voxgrad.cli.report;

import dev.voxgrad.cli.report.CurvePicture.Line;
import dev.voxgrad.cli.report.ReportData.Epoch;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The curves of a training: losses, and Dice where there was a validation. */
record Charts(List<Integer> epochs, List<Chart> charts) {
    /** One coordinate system. */
    record Chart(String title, List<Line> lines) {}

    static Charts of(ReportData data) {
        List<Chart> charts = new ArrayList<>();
        if (!data.epochs().isEmpty()) {
            List<Line> losses = new ArrayList<>();
            losses.add(line(data, "training", "var(--train)", Epoch::trainingLoss));
            losses.add(line(data, "validation", "var(--validation)", Epoch::validationLoss));
            charts.add(new Chart("Loss", withValues(losses)));
            List<Line> dice = new ArrayList<>();
            dice.add(line(data, "mean", "var(--ink)", epoch -> ReportData.mean(epoch.dice())));
            for (int i = 0; i < data.classes().size(); i++) {
                int index = i;
                dice.add(line(
                        data,
                        data.classes().get(i),
                        Palette.css(i + 1),
                        epoch -> index < epoch.dice().size() ? epoch.dice().get(index) : Double.NaN));
            }
            charts.add(new Chart("Pseudo Dice on validation patches", withValues(dice)));
        }
        charts.removeIf(chart -> chart.lines.isEmpty());
        return new Charts(data.epochs().stream().map(Epoch::number).toList(), charts);
    }

    private static Line line(ReportData data, String name, String colour, ToDoubleFunction<Epoch> value) {
        return new Line(
                name,
                colour,
                data.epochs().stream().map(e -> value.applyAsDouble(e)).toList());
    }

    private static List<Line> withValues(List<Line> lines) {
        return lines.stream()
                .filter(line -> line.values().stream().anyMatch(Double::isFinite))
                .toList();
    }
}
