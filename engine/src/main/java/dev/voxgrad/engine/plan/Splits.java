package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.ConfigException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** Division of the cases into training and validation cases, equal to nnU-Net's for the same identifiers. */
public final class Splits {
    /** nnU-Net's seed. */
    public static final int SEED = 12345;

    private static final double RANDOM_SHARE = 0.8;

    /** One division: identifiers of the training and of the validation cases. */
    public record Fold(List<String> train, List<String> val) {
        /** Copies the lists. */
        public Fold {
            train = List.copyOf(train);
            val = List.copyOf(val);
        }
    }

    private Splits() {}

    /**
     * Cross-validation: every case is a validation case of exactly one fold.
     *
     * @throws ConfigException when there are fewer cases than folds
     */
    public static List<Fold> crossValidation(Collection<String> identifiers, int folds, int seed) {
        String[] sorted = sorted(identifiers);
        if (folds < 2 || sorted.length < folds) {
            throw new ConfigException(sorted.length + " cases cannot be divided into " + folds + " folds; use 2 to "
                    + sorted.length + " folds, or train on all cases");
        }
        int[] order = new LegacyRandom(seed).permutation(sorted.length);
        List<Fold> result = new ArrayList<>();
        int start = 0;
        for (int f = 0; f < folds; f++) {
            int size = sorted.length / folds + (f < sorted.length % folds ? 1 : 0);
            BitSet validation = new BitSet();
            Arrays.stream(order, start, start + size).forEach(validation::set);
            result.add(divide(sorted, validation));
            start += size;
        }
        return result;
    }

    /** A random division 80 : 20 for a fold number beyond those of the cross-validation. */
    public static Fold random(Collection<String> identifiers, int fold) {
        String[] sorted = sorted(identifiers);
        int[] order = new LegacyRandom(SEED + fold).permutation(sorted.length);
        int count = (int) (sorted.length * RANDOM_SHARE);
        List<String> train = new ArrayList<>();
        BitSet validation = new BitSet();
        validation.set(0, sorted.length);
        for (int i = 0; i < count; i++) {
            train.add(sorted[order[i]]);
            validation.clear(order[i]);
        }
        return new Fold(train, divide(sorted, validation).val());
    }

    private static Fold divide(String[] sorted, BitSet validation) {
        List<String> train = new ArrayList<>();
        List<String> val = new ArrayList<>();
        for (int i = 0; i < sorted.length; i++) {
            (validation.get(i) ? val : train).add(sorted[i]);
        }
        return new Fold(train, val);
    }

    private static String[] sorted(Collection<String> identifiers) {
        return new TreeSet<>(identifiers).toArray(String[]::new);
    }
}
