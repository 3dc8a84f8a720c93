package dev.voxgrad.engine.plan;

import dev.voxgrad.engine.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of one patient study.
 *
 * @param id of the case
 * @param imageFiles its channels in order; a file may hold several
 * @param labelFile the reference, if there is one
 */
public record Case(String id, List<Path> imageFiles, Optional<Path> labelFile) {
    /** Copies the list. */
    public Case {
        imageFiles = List.copyOf(imageFiles);
    }

    /**
     * Finds the cases in a folder of images: files CASE_0000, CASE_0001, ... with this ending, one per channel.
     *
     * @return cases without labels, by identifier
     * @throws DataException when there is no such folder or none of its files has such a name
     */
    public static List<Case> scan(Path folder, String ending) {
        Pattern name = Pattern.compile("(.+)_\\d{4}" + Pattern.quote(ending));
        Map<String, List<Path>> files = new TreeMap<>();
        try (Stream<Path> entries = Files.list(folder)) {
            for (Path file : entries.sorted().toList()) {
                Matcher matcher = name.matcher(file.getFileName().toString());
                if (matcher.matches()) {
                    files.computeIfAbsent(matcher.group(1), id -> new ArrayList<>())
                            .add(file);
                }
            }
        } catch (IOException e) {
            throw new DataException(
                    folder + ": cannot list the folder of images; check that it exists and is readable", e);
        }
        if (files.isEmpty()) {
            throw new DataException(folder + ": no file is named CASE_0000" + ending
                    + "; images need a case name, _, four digits of the channel and the ending " + ending);
        }
        List<Case> cases = new ArrayList<>();
        files.forEach((id, images) -> cases.add(new Case(id, images, Optional.empty())));
        return cases;
    }
}
