package dev.voxgrad.bench;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** One row of {@code bench/problems/conv3d.csv}: a convolution layer with a cubic kernel (flat for depth 1) and zero padding. */
public record ConvProblem(String name, Shape input, int outputChannels, int kernel, int stride) {
    /** Reads the problem file. */
    public static List<ConvProblem> read(Path file) throws IOException {
        return Files.readAllLines(file).stream()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(ConvProblem::parse)
                .toList();
    }

    private static ConvProblem parse(String line) {
        String[] f = line.split(",");
        if (f.length != 9) {
            throw new ConfigException("a problem has 9 fields: " + line);
        }
        long[] v = new long[8];
        for (int i = 0; i < 8; i++) {
            v[i] = Long.parseLong(f[i + 1].strip());
        }
        return new ConvProblem(
                f[0].strip(), new Shape(v[0], v[1], v[2], v[3], v[4]), (int) v[5], (int) v[6], (int) v[7]);
    }

    int kernelDepth() {
        return input.d() == 1 ? 1 : kernel;
    }

    int strideDepth() {
        return input.d() == 1 ? 1 : stride;
    }

    /** Sizes of the output. */
    public Shape output() {
        return new Shape(
                input.n(),
                out(input.d(), kernelDepth(), strideDepth()),
                out(input.h(), kernel, stride),
                out(input.w(), kernel, stride),
                outputChannels);
    }

    private static long out(long in, int k, int s) {
        return (in + 2L * (k / 2) - k) / s + 1;
    }

    /** Floating point operations of one direction, counted as a direct convolution. */
    public double flops() {
        Shape y = output();
        return 2.0 * y.n() * y.voxels() * y.c() * input.c() * kernelDepth() * kernel * kernel;
    }
}
