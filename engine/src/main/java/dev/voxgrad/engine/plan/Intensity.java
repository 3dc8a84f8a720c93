package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;

/**
 * Random changes of intensities in training, in the order in which they are applied.
 *
 * @param noiseProbability of Gaussian noise
 * @param noiseSigma its standard deviation is drawn uniformly from these bounds, in units of the normalised image
 * @param brightnessProbability of a factor on each channel
 * @param brightness bounds of the factor: with probability 0.5 drawn below 1, else above
 * @param contrastProbability of scaling the distance to the mean of each channel
 * @param contrast bounds of the factor
 * @param gammaInvertedProbability of a gamma curve on the negated image
 * @param gammaProbability of a gamma curve
 * @param gamma bounds of the exponent
 */
public record Intensity(
        double noiseProbability,
        Range noiseSigma,
        double brightnessProbability,
        Range brightness,
        double contrastProbability,
        Range contrast,
        double gammaInvertedProbability,
        double gammaProbability,
        Range gamma) {
    /** Bounds of a uniform draw. */
    public record Range(double low, double high) {
        /** Finite, not negative, in order. */
        public Range {
            if (!(low >= 0 && low <= high && high < Double.POSITIVE_INFINITY)) {
                throw new ConfigException("a range needs 0 <= low <= high, found low " + low + ", high " + high);
            }
        }
    }

    /** Checks that probabilities lie in [0, 1] and factors surround 1. */
    public Intensity {
        probability("noiseProbability", noiseProbability);
        probability("brightnessProbability", brightnessProbability);
        probability("contrastProbability", contrastProbability);
        probability("gammaInvertedProbability", gammaInvertedProbability);
        probability("gammaProbability", gammaProbability);
        aroundOne("brightness", brightness);
        aroundOne("contrast", contrast);
        aroundOne("gamma", gamma);
        if (noiseSigma == null) {
            throw new ConfigException("noiseSigma is missing; use {\"low\": 0, \"high\": 0.1}");
        }
    }

    /** The values of nnU-Net's default trainer. */
    public static Intensity standard() {
        Range factor = new Range(0.75, 1.25);
        return new Intensity(0.1, new Range(0, 0.1), 0.15, factor, 0.15, factor, 0.1, 0.3, new Range(0.7, 1.5));
    }

    /** No change at all. */
    public static Intensity none() {
        Range one = new Range(1, 1);
        return new Intensity(0, new Range(0, 0), 0, one, 0, one, 0, 0, one);
    }

    static void probability(String key, double value) {
        if (!(value >= 0 && value <= 1)) {
            throw new ConfigException(key + " is " + value + "; use a number from 0 to 1");
        }
    }

    private static void aroundOne(String key, Range range) {
        if (range == null || !(range.low() > 0 && range.low() <= 1 && range.high() >= 1)) {
            throw new ConfigException(key + " is " + range + "; use 0 < low <= 1 <= high");
        }
    }
}
