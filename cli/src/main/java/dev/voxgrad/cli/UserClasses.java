package dev.voxgrad.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The user's folders and jars beside the program's own classes, for this thread until it is closed. */
final class UserClasses implements AutoCloseable {
    private final ClassLoader before = Thread.currentThread().getContextClassLoader();
    private final URLClassLoader classes;

    private UserClasses(List<URL> places) {
        this.classes = new URLClassLoader(places.toArray(URL[]::new), UserClasses.class.getClassLoader());
        if (!places.isEmpty()) {
            Thread.currentThread().setContextClassLoader(classes);
        }
    }

    /**
     * Opens a class path; an empty one changes nothing.
     *
     * @throws ParameterException when an entry does not exist
     */
    static UserClasses of(String classPath, CommandLine line) {
        List<URL> places = new ArrayList<>();
        for (String entry : classPath.split(File.pathSeparator)) {
            if (entry.isBlank()) {
                continue;
            }
            Path path = Path.of(entry);
            if (!Files.exists(path)) {
                throw new ParameterException(
                        line, "--class-path: " + path + " does not exist; give folders of classes or jars");
            }
            try {
                places.add(path.toUri().toURL());
            } catch (MalformedURLException e) {
                throw new ParameterException(line, "--class-path: " + path + " cannot be a place of classes", e);
            }
        }
        return new UserClasses(places);
    }

    @Override
    public void close() {
        Thread.currentThread().setContextClassLoader(before);
        try {
            classes.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
