package dev.voxgrad.cli;

import dev.voxgrad.engine.DataException;
import dev.voxgrad.engine.plan.Case;
import dev.voxgrad.engine.profile.Ceilings;
import dev.voxgrad.engine.profile.Profile;
import dev.voxgrad.engine.profile.Recording;
import dev.voxgrad.engine.tensor.Device;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code voxgrad profile predict}: where the time of a prediction goes. */
@Command(
        name = "predict",
        description = {
            "Predicts as \"voxgrad predict\" does, from the first file read to the last file written, and measures it.",
            "The files go to a folder of their own that is deleted afterwards. A step is a tile with its mirrored passes."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExample:%n",
        footer = "  voxgrad profile predict -m model -i imagesTs/case_0000.nii.gz --no-mirror")
final class ProfilePredictCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeviceOptions device;

    @Mixin
    private PrecisionOption precision;

    @Mixin
    private PredictionOptions prediction;

    @Mixin
    private ProfileOptions profile;

    @Override
    public Integer call() throws Exception {
        List<Case> cases = prediction.cases();
        profile.requireWritable();
        try (Device opened = device.open(precision.precision());
                ScratchFolder scratch = ScratchFolder.make()) {
            profile.report(measure(cases, scratch.path(), opened));
        }
        return ExitCode.OK;
    }

    private ProfileResult measure(List<Case> cases, Path masks, Device opened) {
        Ceilings ceilings = Ceilings.measure(opened);
        try (Recording recording = Recording.start(opened)) {
            List<PredictionJob.Result> results = PredictionJob.run(
                    prediction.model(),
                    cases,
                    masks,
                    prediction.ending(),
                    prediction.settings(),
                    opened,
                    (done, total) -> recording.endStep());
            recording.stop();
            results.stream().filter(r -> r.error() != null).findFirst().ifPresent(r -> {
                throw new DataException("case " + r.id() + " failed: " + r.error());
            });
            Map<String, String> facts = new LinkedHashMap<>();
            facts.put("Model", prediction.model().toString());
            facts.put("Cases", cases.stream().map(Case::id).toList().toString());
            return ProfileResult.of(
                    "profile of predict: " + prediction.model(),
                    "tile",
                    facts,
                    opened,
                    Profile.of(recording, ceilings.best(Ceilings.measure(opened))));
        }
    }
}
