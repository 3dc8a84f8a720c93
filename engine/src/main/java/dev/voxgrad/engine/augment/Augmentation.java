package dev.voxgrad.engine.augment;

import dev.voxgrad.engine.plan.Intensity;
import dev.voxgrad.engine.plan.Training;
import java.util.List;

/** Transforms in the order in which they are applied. Each has its own stream of random numbers. */
public record Augmentation(List<Transform> transforms) {
    /** Copies the list. */
    public Augmentation {
        transforms = List.copyOf(transforms);
    }

    /** The transforms that a plan asks for, in nnU-Net's order: noise, brightness, contrast, inverted gamma, gamma, mirror. */
    public static Augmentation of(Training training) {
        Intensity i = training.intensity();
        return new Augmentation(List.of(
                new GaussianNoise(i.noiseProbability(), i.noiseSigma()),
                new Brightness(i.brightnessProbability(), i.brightness()),
                new Contrast(i.contrastProbability(), i.contrast()),
                new Gamma(i.gammaInvertedProbability(), i.gamma(), true),
                new Gamma(i.gammaProbability(), i.gamma(), false),
                new Mirror(training.mirrorAxes())));
    }

    /** Applies all of them in place. */
    public void apply(Patch patch, CounterRandom random) {
        for (int i = 0; i < transforms.size(); i++) {
            transforms.get(i).apply(patch, random.fork(i));
        }
    }
}
