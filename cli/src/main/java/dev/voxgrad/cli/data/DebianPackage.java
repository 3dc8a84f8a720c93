package dev.voxgrad.cli.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Downloads and unpacks a Debian package; a test puts another implementation in its place. */
public interface DebianPackage {
    /**
     * Downloads a package and unpacks it, without root and without installing anything.
     *
     * @param work an empty folder for everything that is written
     * @return the folder that holds the package's tree ({@code usr/...})
     * @throws NotAvailable when that cannot be done on this machine, now; the message says why
     */
    Path unpack(String name, Path work) throws NotAvailable, IOException;

    /** The package cannot be had here; the caller has something to fall back to and says so. */
    final class NotAvailable extends Exception {
        private static final long serialVersionUID = 1L;

        NotAvailable(String message) {
            super(message);
        }
    }

    /** With {@code apt-get download} and {@code dpkg-deb}. */
    static DebianPackage apt() {
        return DebianPackage::unpackWithApt;
    }

    private static Path unpackWithApt(String name, Path work) throws NotAvailable, IOException {
        List<String> download = new ArrayList<>(List.of("apt-get", "-qq", "download", name));
        if (!run(download, work)) {
            // A fresh container has no package lists, and only root may write the system's: fetch them into our own
            // folder.
            List<String> options = List.of(
                    "-o", "Dir::State::Lists=" + Files.createDirectories(work.resolve("lists")),
                    "-o", "Dir::Cache=" + Files.createDirectories(work.resolve("aptcache")),
                    "-o", "Acquire::Languages=none");
            List<String> update = new ArrayList<>(List.of("apt-get", "-qq", "update"));
            update.addAll(options);
            download.addAll(1, options);
            if (!run(update, work) || !run(download, work)) {
                throw new NotAvailable("apt-get could not download the package " + name + ": " + lastLine(work));
            }
        }
        Path archive;
        try (Stream<Path> files = Files.list(work)) {
            archive = files.filter(file -> file.toString().endsWith(".deb"))
                    .findFirst()
                    .orElseThrow(() -> new NotAvailable("apt-get downloaded no file for the package " + name));
        }
        Path tree = work.resolve("tree");
        if (!run(List.of("dpkg-deb", "-x", archive.toString(), tree.toString()), work)) {
            throw new NotAvailable("dpkg-deb could not unpack " + archive.getFileName() + ": " + lastLine(work));
        }
        return tree;
    }

    private static Path log(Path work) {
        return work.resolve("commands.log");
    }

    private static boolean run(List<String> command, Path work) throws NotAvailable, IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true);
        builder.redirectOutput(log(work).toFile());
        builder.environment().put("LC_ALL", "C");
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new NotAvailable(command.getFirst() + " is not on this machine (it is part of Debian and Ubuntu)");
        }
        try {
            if (!process.waitFor(3, TimeUnit.MINUTES)) {
                process.destroyForcibly();
                throw new NotAvailable(command.getFirst() + " gave no answer for three minutes");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new NotAvailable("interrupted while " + command.getFirst() + " was running");
        }
        return process.exitValue() == 0;
    }

    private static String lastLine(Path work) throws IOException {
        return Files.readAllLines(log(work)).stream()
                .filter(line -> !line.isBlank())
                .reduce((first, second) -> second)
                .orElse("no reason given");
    }
}
