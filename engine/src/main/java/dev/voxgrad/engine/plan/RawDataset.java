package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A data set as the user provides it: {@code dataset.json}, {@code imagesTr/CASE_0000...}, {@code labelsTr/CASE...}.
 *
 * @param folder of the data set
 * @param description what dataset.json says
 * @param cases the training cases, by identifier
 * @param warnings what looks odd in the folders
 */
public record RawDataset(Path folder, DatasetDescription description, List<Case> cases, List<String> warnings) {
    /** Names for which nnU-Net has other normalisations than the z-score, which are not there yet. */
    private static final Set<String> NORMALIZED_OTHERWISE = Set.of("CT", "rescale_to_0_1", "rgb_to_0_1");

    private static final String IMAGES = "imagesTr";
    private static final String LABELS = "labelsTr";

    /** Identifiers that an error lists. */
    private static final int SOME = 8;

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)}|\\$(\\w+)");

    /** Copies the lists. */
    public RawDataset {
        cases = List.copyOf(cases);
        warnings = List.copyOf(warnings);
    }

    /** What reading all cases showed. */
    public record Checked(Fingerprint fingerprint, List<String> warnings) {
        /** Copies the list. */
        public Checked {
            warnings = List.copyOf(warnings);
        }
    }

    /**
     * Finds the cases; images are not read yet.
     *
     * @throws DataException with all that is missing: folders, labels, cases
     */
    public static RawDataset open(Path folder) {
        DatasetDescription description = DatasetDescription.read(folder);
        List<String> errors = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        List<Case> cases = description.dataset().isEmpty()
                ? scan(folder, description, errors, warnings)
                : listed(folder, description);
        for (Case c : cases) {
            Stream.concat(c.imageFiles().stream(), c.labelFile().stream())
                    .filter(file -> !Files.isRegularFile(file))
                    .forEach(file -> errors.add("case " + c.id() + ": missing " + file));
        }
        if (cases.size() != description.numTraining()) {
            errors.add(description.file() + ": numTraining is " + description.numTraining() + ", found " + cases.size()
                    + " cases: " + some(cases) + "; correct the number or add the files");
        }
        if (!errors.isEmpty()) {
            throw CaseReader.failure(folder.toString(), errors);
        }
        description.labels().regions().stream()
                .filter(region -> !region.labels().contains(region.value()))
                .forEach(region -> warnings.add(description.file() + ": regions_class_order has " + region.value()
                        + " for the region \"" + region.name() + "\", which does not contain it: " + region.labels()));
        return new RawDataset(folder, description, cases, warnings);
    }

    private static List<Case> scan(
            Path folder, DatasetDescription description, List<String> errors, List<String> warnings) {
        Path images = folder.resolve(IMAGES);
        Path labels = folder.resolve(LABELS);
        for (Path needed : List.of(images, labels)) {
            if (!Files.isDirectory(needed)) {
                errors.add(needed + ": missing folder; training images belong into " + IMAGES + ", their labels into "
                        + LABELS);
            }
        }
        if (!errors.isEmpty()) {
            throw CaseReader.failure(folder.toString(), errors);
        }
        List<Case> cases = Case.scan(images, description.fileEnding()).stream()
                .map(c -> new Case(
                        c.id(), c.imageFiles(), Optional.of(labels.resolve(c.id() + description.fileEnding()))))
                .toList();
        Set<Path> expected = cases.stream().flatMap(c -> c.labelFile().stream()).collect(Collectors.toSet());
        try (Stream<Path> files = Files.list(labels)) {
            files.filter(f -> f.toString().endsWith(description.fileEnding()) && !expected.contains(f))
                    .sorted()
                    .forEach(f -> warnings.add(f + ": label without an image in " + images + "; it is not used"));
        } catch (IOException e) {
            throw new DataException(labels + ": cannot list the folder: " + e.getMessage(), e);
        }
        return cases;
    }

    private static List<Case> listed(Path folder, DatasetDescription description) {
        List<Case> cases = new ArrayList<>();
        for (String id : new TreeSet<>(description.dataset().keySet())) {
            DatasetDescription.Files files = description.dataset().get(id);
            List<Path> images = files.images().stream()
                    .map(text -> folder.resolve(expand(description, text)))
                    .toList();
            cases.add(new Case(id, images, Optional.of(folder.resolve(expand(description, files.label())))));
        }
        return cases;
    }

    private static String expand(DatasetDescription description, String text) {
        Matcher matcher = VARIABLE.matcher(text);
        return matcher.replaceAll(m -> {
            String name = m.group(1) == null ? m.group(2) : m.group(1);
            String value = System.getenv(name);
            if (value == null) {
                throw new DataException(
                        description.file() + ": the environment variable " + name + " in \"" + text + "\" is not set");
            }
            return Matcher.quoteReplacement(value);
        });
    }

    private static String some(List<Case> cases) {
        return cases.stream().limit(SOME).map(Case::id).collect(Collectors.joining(", "))
                + (cases.size() > SOME ? ", ..." : "");
    }

    /**
     * Reads every file of every case and checks it.
     *
     * @throws DataException with the findings of all cases
     */
    public Checked check() {
        CaseReader reader = new CaseReader(description.channelNames(), description.labels());
        List<Fingerprint.Entry> entries = new ArrayList<>();
        for (Case c : cases) {
            reader.read(c).ifPresent(source -> {
                CropBox crop = CropBox.around(NonzeroMask.of(source.channels(), source.size()), source.size());
                double kept = (double) crop.size().d()
                        / source.size().d()
                        * crop.size().h()
                        / source.size().h()
                        * crop.size().w()
                        / source.size().w();
                entries.add(new Fingerprint.Entry(crop.size(), source.spacingMm(), kept));
            });
        }
        if (!reader.errors().isEmpty()) {
            throw CaseReader.failure(folder.toString(), reader.errors());
        }
        List<String> all = new ArrayList<>(warnings);
        all.addAll(reader.warnings());
        description.channelNames().stream()
                .filter(NORMALIZED_OTHERWISE::contains)
                .forEach(
                        c -> all.add(
                                "channel " + c
                                        + ": proposed plans z-score every channel per case; this name asks nnU-Net for something else"));
        return new Checked(new Fingerprint(entries), all);
    }
}
