package dev.voxgrad.cli.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The files of the Debian package {@code mricron-data} that make a labelled brain: the T1 MR of one person averaged over 27 scans
 * (Colin27, brain only) and the AAL atlas of 116 regions on the same grid (181 x 217 x 181 voxels of 1 mm).
 *
 * @param image the MR
 * @param atlas the label map
 * @param regions names of the labels
 */
public record BrainFiles(Path image, Path atlas, Path regions) {
    /** The Debian package. */
    public static final String PACKAGE = "mricron-data";

    private static final String IMAGE = "ch2bet.nii.gz";
    private static final String ATLAS = "aal.nii.gz";
    private static final String REGIONS = "aal.nii.txt";
    private static final String TEMPLATES = "usr/share/mricron/templates";
    private static final Map<String, String> SHA256 = Map.of(
            IMAGE, "592a2d20abdf36eefcb540ca8958428040edffc1bc1a18ba1dcfbabac77c5dd1",
            ATLAS, "b512dcd3f36b77f56be7a9a038134096e66314b7e8c31d25875b96bcf6991454",
            REGIONS, "1788d6556a9ec056de9867b2382cf1ce1b51b87ae4cfd9cd25de48ae4dde709e");

    /** The files where they already are: installed by the system's package manager or kept in the cache. */
    public static Optional<BrainFiles> find() {
        return Stream.of(Path.of("/").resolve(TEMPLATES), cached(CacheFolder.path()))
                .map(BrainFiles::verified)
                .flatMap(Optional::stream)
                .findFirst();
    }

    /**
     * The files, downloaded into the cache when they are nowhere. Needs no root; safe against an interruption and against other
     * processes that do the same.
     *
     * @throws DebianPackage.NotAvailable without the package manager, the network or the package, or when its files are not the
     *     expected ones
     */
    public static BrainFiles obtain(DebianPackage debian) throws DebianPackage.NotAvailable {
        Optional<BrainFiles> present = find();
        return present.isPresent() ? present.get() : download(debian, CacheFolder.path());
    }

    static BrainFiles download(DebianPackage debian, Path cache) throws DebianPackage.NotAvailable {
        Path work = null;
        try {
            Files.createDirectories(cache);
            work = Files.createTempDirectory(cache, PACKAGE + ".tmp");
            Path unpacked = debian.unpack(PACKAGE, work).resolve(TEMPLATES);
            Path folder = Files.createDirectories(work.resolve("verified"));
            for (String name : SHA256.keySet()) {
                verify(unpacked.resolve(name));
                Files.move(unpacked.resolve(name), folder.resolve(name));
            }
            // File by file, so that two processes at once only replace equal bytes.
            Path target = Files.createDirectories(cached(cache));
            for (String name : SHA256.keySet()) {
                Files.move(
                        folder.resolve(name),
                        target.resolve(name),
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            }
            return in(target);
        } catch (IOException e) {
            throw new DebianPackage.NotAvailable("cannot write to the cache folder " + cache + ": " + e.getMessage());
        } finally {
            deleteTree(work);
        }
    }

    /** One line for the user: where the files are, or how to get them. */
    public static String describeAvailability() {
        return find().map(files -> files.image.getParent().toString())
                .orElse("not downloaded yet (voxgrad data brain gets it from the Debian package " + PACKAGE + ")");
    }

    private static Path cached(Path cache) {
        return cache.resolve(PACKAGE);
    }

    private static BrainFiles in(Path folder) {
        return new BrainFiles(folder.resolve(IMAGE), folder.resolve(ATLAS), folder.resolve(REGIONS));
    }

    private static Optional<BrainFiles> verified(Path folder) {
        boolean good = SHA256.keySet().stream().allMatch(name -> {
            Path file = folder.resolve(name);
            return Files.isRegularFile(file) && sha256(file).equals(SHA256.get(name));
        });
        return good ? Optional.of(in(folder)) : Optional.empty();
    }

    private static void verify(Path file) throws DebianPackage.NotAvailable {
        String name = file.getFileName().toString();
        if (!Files.isRegularFile(file)) {
            throw new DebianPackage.NotAvailable("the package " + PACKAGE + " has no file " + name);
        }
        String found = sha256(file);
        if (!found.equals(SHA256.get(name))) {
            throw new DebianPackage.NotAvailable("the package " + PACKAGE + " holds another " + name
                    + " than expected (SHA-256 " + found.substring(0, 16) + ".. instead of "
                    + SHA256.get(name).substring(0, 16) + "..)");
        }
    }

    private static String sha256(Path file) {
        try (InputStream in = Files.newInputStream(file);
                DigestInputStream digest = new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
            digest.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.getMessageDigest().digest());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void deleteTree(Path folder) {
        if (folder == null) {
            return;
        }
        try (Stream<Path> tree = Files.walk(folder)) {
            List<Path> deepestFirst = tree.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
