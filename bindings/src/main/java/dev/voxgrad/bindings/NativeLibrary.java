package dev.voxgrad.bindings;

import dev.voxgrad.bindings.ffi.VoxgradH;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds, loads and checks {@code libvoxgrad}, once per process.
 *
 * <p>Order: system property {@code voxgrad.native.path}, environment variable {@code VOXGRAD_NATIVE_PATH} (each a library file or
 * a folder that holds {@code META-INF/native/PLATFORM}), then the class path. A library inside a jar is copied to a cache
 * folder named after its content ({@code VOXGRAD_CACHE}, else {@code ~/.cache/voxgrad}).
 */
public final class NativeLibrary {
    private static final String PROPERTY = "voxgrad.native.path";
    private static final String ENVIRONMENT = "VOXGRAD_NATIVE_PATH";

    private NativeLibrary() {}

    /** Loads the library unless that has happened; returns the file it was loaded from. */
    public static Path load() {
        return Loaded.FILE;
    }

    /** Version text of the loaded library, for example {@code 0.1.0 cpu+cuda}. */
    public static String version() {
        load();
        return VoxgradH.vg_version().getString(0);
    }

    /** Platform folder of this machine, for example {@code linux-x86_64}. */
    public static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String machine = System.getProperty("os.arch");
        return (os.contains("linux") ? "linux" : os.replace(" ", "")) + "-"
                + (machine.equals("amd64") ? "x86_64" : machine);
    }

    private static final class Loaded {
        static final Path FILE = find();

        private static Path find() {
            Path file = configured(PROPERTY, System.getProperty(PROPERTY))
                    .or(() -> configured(ENVIRONMENT, System.getenv(ENVIRONMENT)))
                    .orElseGet(Loaded::fromClassPath);
            try {
                System.load(file.toString());
            } catch (UnsatisfiedLinkError e) {
                throw new NativeException(
                        NativeStatus.UNAVAILABLE,
                        "cannot load " + file + ": " + e.getMessage()
                                + ". It needs a C runtime at least as new as the one it was built with.");
            }
            checkAbi(file);
            return file;
        }

        private static Optional<Path> configured(String name, String value) {
            if (value == null || value.isBlank()) {
                return Optional.empty();
            }
            Path path = Path.of(value).toAbsolutePath();
            if (Files.isDirectory(path)) {
                path = path.resolve(resource());
            }
            if (!Files.isRegularFile(path)) {
                throw new NativeException(
                        NativeStatus.UNAVAILABLE,
                        name + " points to " + path
                                + ", which does not exist; set it to libvoxgrad.so or to the folder that holds "
                                + resource());
            }
            return Optional.of(path);
        }

        private static String resource() {
            return "META-INF/native/" + platform() + "/libvoxgrad.so";
        }

        private static Path fromClassPath() {
            try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(resource())) {
                if (in == null) {
                    throw new NativeException(
                            NativeStatus.UNAVAILABLE,
                            "no native library for " + platform() + ": " + resource()
                                    + " is not on the class path. Add the voxgrad-native jar of this platform, or set -D"
                                    + PROPERTY
                                    + "=FILE or " + ENVIRONMENT + ".");
                }
                return extract(in.readAllBytes());
            } catch (IOException e) {
                throw new NativeException(
                        NativeStatus.UNAVAILABLE,
                        "cannot unpack " + resource() + " to " + cache() + ": " + e.getMessage()
                                + ". Make the folder writable or set VOXGRAD_CACHE.");
            }
        }

        private static Path cache() {
            String set = System.getenv("VOXGRAD_CACHE");
            return set == null || set.isBlank()
                    ? Path.of(System.getProperty("user.home"), ".cache", "voxgrad")
                    : Path.of(set);
        }

        private static Path extract(byte[] library) throws IOException {
            String hash;
            try {
                hash = HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(library));
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
            Path folder = cache().resolve("native").resolve(hash.substring(0, 16));
            Path file = folder.resolve("libvoxgrad.so");
            if (Files.isRegularFile(file) && Files.size(file) == library.length) {
                return file;
            }
            Files.createDirectories(folder);
            Path part = Files.createTempFile(folder, "libvoxgrad", ".tmp");
            try {
                Files.write(part, library);
                // Another process may have been faster; both wrote the same bytes.
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
            return file;
        }

        /** Compares the ABI before any generated class is touched, so that a mismatch is one readable line. */
        private static void checkAbi(Path file) {
            Optional<MemorySegment> symbol = SymbolLookup.loaderLookup().find("vg_abi_version");
            if (symbol.isEmpty()) {
                throw new NativeException(
                        NativeStatus.UNAVAILABLE, file + " is not a voxgrad library (no vg_abi_version)");
            }
            int found;
            try {
                found = (int) Linker.nativeLinker()
                        .downcallHandle(symbol.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT))
                        .invokeExact();
            } catch (Throwable e) {
                throw new NativeException(NativeStatus.INTERNAL, "calling vg_abi_version of " + file + " failed: " + e);
            }
            if (found != VoxgradH.VG_ABI_VERSION()) {
                throw new NativeException(
                        NativeStatus.UNAVAILABLE,
                        file + " has ABI version " + found + ", these classes need " + VoxgradH.VG_ABI_VERSION()
                                + "; use jar and library of one build");
            }
        }
    }
}
