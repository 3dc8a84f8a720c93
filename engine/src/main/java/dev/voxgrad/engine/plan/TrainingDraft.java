package dev.voxgrad.engine.plan;

import java.util.List;

/** The values of a {@link Training} while {@link Training#with} changes them: a field for each component, checked all together at the end. */
public final class TrainingDraft {
    public String loss;
    public String optimizer;
    public double learningRate;
    public double momentum;
    public double weightDecay;
    public String schedule;
    public int warmUpEpochs;
    public int epochs;
    public int iterationsPerEpoch;
    public int validationIterations;
    public double gradientClip;
    public double foregroundOversampling;
    public List<Integer> mirrorAxes;
    public Intensity intensity;
    public boolean deepSupervision;
    public int earlyStopPatience;
    public int checkpointEvery;
    public long seed;
    public Optimization optimization;
    public Recompute recompute;

    TrainingDraft(Training training) {
        loss = training.loss();
        optimizer = training.optimizer();
        learningRate = training.learningRate();
        momentum = training.momentum();
        weightDecay = training.weightDecay();
        schedule = training.schedule();
        warmUpEpochs = training.warmUpEpochs();
        epochs = training.epochs();
        iterationsPerEpoch = training.iterationsPerEpoch();
        validationIterations = training.validationIterations();
        gradientClip = training.gradientClip();
        foregroundOversampling = training.foregroundOversampling();
        mirrorAxes = training.mirrorAxes();
        intensity = training.intensity();
        deepSupervision = training.deepSupervision();
        earlyStopPatience = training.earlyStopPatience();
        checkpointEvery = training.checkpointEvery();
        seed = training.seed();
        optimization = training.optimization();
        recompute = training.recompute();
    }

    Training checked() {
        return new Training(
                loss,
                optimizer,
                learningRate,
                momentum,
                weightDecay,
                schedule,
                warmUpEpochs,
                epochs,
                iterationsPerEpoch,
                validationIterations,
                gradientClip,
                foregroundOversampling,
                mirrorAxes,
                intensity,
                deepSupervision,
                earlyStopPatience,
                checkpointEvery,
                seed,
                optimization,
                recompute);
    }
}
