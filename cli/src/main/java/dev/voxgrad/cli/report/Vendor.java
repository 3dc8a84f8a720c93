package dev.voxgrad.cli.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Scripts and styles of the page: ours, and those that the build fetched if it could. */
final class Vendor {
    /** Put before the libraries in the page, as their licences ask. */
    static final String NOTICE = """
            /*! This page contains uPlot 1.6.32, Copyright (c) 2022 Leon Sorokin, MIT License, https://github.com/leeoniya/uPlot,
             *  and, where it shows volumes, NiiVue 0.69.0, Copyright (c) 2021 Niivue, BSD 2-Clause License,
             *  https://github.com/niivue/niivue. Their licence texts are at the end of the page. */
            """;

    private Vendor() {}

    /** Our own file of this package. */
    static String own(String name) {
        return read(name)
                .orElseThrow(() -> new IllegalStateException("resource " + name + " is missing in this build"));
    }

    /** uPlot, its style sheet, or NiiVue; empty when the build had no npm. */
    static Optional<String> fetched(String name) {
        return read("vendor/" + name);
    }

    private static Optional<String> read(String name) {
        try (InputStream in = Vendor.class.getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
