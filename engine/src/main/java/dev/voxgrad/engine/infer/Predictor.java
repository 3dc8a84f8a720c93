package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.image.Grid;
import dev.voxgrad.engine.image.LabelVolume;
import dev.voxgrad.engine.image.NiftiReader;
import dev.voxgrad.engine.image.NiftiWriter;
import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.plan.Plan;
import dev.voxgrad.engine.plan.PreparedCase;
import dev.voxgrad.engine.plan.Preprocessor;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * From the files of a case to its label map in the geometry of the source: preprocessing, sliding window over all models, export.
 *
 * @param plan that the models were trained with
 * @param models folds of one training; the mean of their logits counts
 * @param device of the models
 * @param window how the volume is covered
 */
public record Predictor(Plan plan, List<Module> models, Device device, SlidingWindow window) {
    /** Copies the list. */
    public Predictor {
        models = List.copyOf(models);
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
        LabelVolume labels = predict(source, progress);
        NiftiWriter.writeLabels(
                output,
                labels,
                plan.labelNames().classes() - 1,
                NiftiReader.readHeader(source.imageFiles().getFirst()));
    }

    /** Preprocessing runs on the CPU, whatever the device of the models. */
    private PreparedCase prepare(Case images) {
        if (device.name().equals("cpu")) {
            return new Preprocessor(plan, device).prepare(images);
        }
        try (Device host = Device.cpu()) {
            return new Preprocessor(plan, host).prepare(images);
        }
    }

    /** Predicts a prepared case. */
    public LabelVolume predict(PreparedCase prepared, SlidingWindow.Progress progress) {
        LabelExport export = new LabelExport(
                prepared.size(), prepared.sourceSize(), prepared.crop(), prepared.separateAxisBack(), plan.outputs());
        window.predict(prepared.id(), device, models, prepared.image(), prepared.size(), export, progress);
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
}
