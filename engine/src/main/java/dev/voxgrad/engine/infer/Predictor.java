package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.SafetensorsWriter;
import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiHeader;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.NiftiWriter;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.tensor.Device;
import dev.voxgrad.engine.tensor.Profiler;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * From the files of a case to its label map in the geometry of the source: preprocessing, sliding window over all models, export.
 *
 * @param plan that the models were trained with
 * @param models folds of one training; the mean of their logits counts
 * @param device of the models
 * @param window how the volume is covered
 * @param noise whether noisy and flipped volumes are averaged; then the logits of a whole volume are held
 */
public record Predictor(
        Plan plan, List<Module> models, Device device, SlidingWindow window, Optional<TestNoise> noise) {
    /** Copies the list. */
    public Predictor {
        models = List.copyOf(models);
    }

    /** A predictor without noise. */
    public Predictor(Plan plan, List<Module> models, Device device, SlidingWindow window) {
        this(plan, models, device, window, Optional.empty());
    }

    /** A predictor with nnU-Net's sliding window and the mirror axes of the training. */
    public static Predictor of(Plan plan, List<Module> models, Device device) {
        return new Predictor(
                plan,
                models,
                device,
                SlidingWindow.nnunet(plan.patch(), plan.training().mirrorAxes()));
    }

    /**
     * Predicts one case.
     *
     * @param source its images; a label file is not looked at
     * @throws dev.voxgrad.engine.DataException when the files are wrong or the result is not finite
     */
    public LabelVolume predict(Case source, SlidingWindow.Progress progress) {
        Case images = new Case(source.id(), source.imageFiles(), Optional.empty());
        return predict(prepare(images), progress);
    }

    /**
     * Predicts one case and writes its label map with the header of the first image.
     *
     * @param output a .nii or .nii.gz file
     */
    public void write(Case source, Path output, SlidingWindow.Progress progress) {
        write(source, PredictionFiles.of(output), progress);
    }

    /**
     * Predicts one case and writes its label map, and the maps that are wanted, with the header of the first image. The probabilities
     * are those of the mean logits on the grid of the source, so the mask follows from them.
     *
     * @throws dev.voxgrad.engine.DataException when the files are wrong or the result is not finite
     */
    public void write(Case source, PredictionFiles files, SlidingWindow.Progress progress) {
        PreparedCase prepared = prepare(new Case(source.id(), source.imageFiles(), Optional.empty()));
        LabelExport export = export(prepared);
        ProbabilityExport maps = new ProbabilityExport(
                prepared.sourceSize(),
                prepared.crop(),
                plan.outputs(),
                files.uncertainty().map(PredictionFiles.UncertaintyFile::kind),
                files.probabilities().isPresent());
        if (files.hasMaps()) {
            export.alsoTo(maps);
        }
        LabelVolume labels = predict(prepared, export, progress);
        try (Profiler.Span span = device.profiler().span("write files")) {
            NiftiHeader header = NiftiReader.readHeader(source.imageFiles().getFirst());
            NiftiWriter.writeLabels(files.mask(), labels, plan.labelNames().classes() - 1, header);
            files.uncertainty().ifPresent(u -> NiftiWriter.writeFloat(u.file(), List.of(maps.uncertainty()), header));
            files.probabilities()
                    .ifPresent(file -> writeProbabilities(file, maps.probabilities(), prepared.sourceSize()));
        }
    }

    private static void writeProbabilities(Path file, float[] probabilities, Triple size) {
        long channels = probabilities.length / size.d() / size.h() / size.w();
        new SafetensorsWriter()
                .f32(PredictionFiles.PROBABILITIES, probabilities, channels, size.d(), size.h(), size.w())
                .writeTo(file);
    }

    /** Preprocessing runs on the CPU, whatever the device of the models. */
    private PreparedCase prepare(Case images) {
        device.profiler().phase(Profiler.Phase.DATA, "case");
        try (Profiler.Span span = device.profiler().span("read and preprocess")) {
            if (device.name().equals("cpu")) {
                return new Preprocessor(plan, device).prepare(images);
            }
            try (Device host = Device.cpu()) {
                return new Preprocessor(plan, host).prepare(images);
            }
        }
    }

    /** Predicts a prepared case. */
    public LabelVolume predict(PreparedCase prepared, SlidingWindow.Progress progress) {
        return predict(prepared, export(prepared), progress);
    }

    private LabelExport export(PreparedCase prepared) {
        return new LabelExport(
                prepared.size(), prepared.sourceSize(), prepared.crop(), prepared.separateAxisBack(), plan.labelRule());
    }

    private LabelVolume predict(PreparedCase prepared, LabelExport export, SlidingWindow.Progress progress) {
        if (noise.isPresent()) {
            average(prepared, export, noise.get(), progress);
        } else {
            window.predict(prepared.id(), device, models, prepared.image(), prepared.size(), export, progress);
        }
        byte[] labels = export.labels();
        short[] wide = new short[labels.length];
        for (int i = 0; i < labels.length; i++) {
            wide[i] = (short) Byte.toUnsignedInt(labels[i]);
        }
        Grid grid = new Grid(
                prepared.sourceSize().d(),
                prepared.sourceSize().h(),
                prepared.sourceSize().w());
        return new LabelVolume(wide, grid, prepared.sourceGeometry());
    }

    private void average(PreparedCase prepared, LabelExport export, TestNoise added, SlidingWindow.Progress progress) {
        Triple size = prepared.size();
        float[] logits = new NoiseFlipAverage(window, TestNoise.FLIP_AXES)
                .meanLogits(
                        prepared.id(),
                        device,
                        models,
                        prepared.image(),
                        size,
                        added.volumes(prepared.image().length),
                        progress);
        int plane = logits.length / size.d();
        for (int z = 0; z < size.d(); z++) {
            export.accept(z, Arrays.copyOfRange(logits, z * plane, (z + 1) * plane));
        }
    }
}
