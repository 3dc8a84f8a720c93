package dev.voxgrad.cli.data;

import java.nio.file.Path;

/** Where downloaded files are kept: {@code VOXGRAD_CACHE}, else {@code ~/.cache/voxgrad}. */
public final class CacheFolder {
    private CacheFolder() {}

    /** The folder, which need not exist. */
    public static Path path() {
        String set = System.getenv("VOXGRAD_CACHE");
        return set == null || set.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache", "voxgrad")
                : Path.of(set).toAbsolutePath();
    }
}
