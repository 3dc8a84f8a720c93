package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.nn.Module;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Device;
import java.util.List;

/**
 * Test-time augmentation with noise: the mean of the logits over a plain pass and, for each round, of the volume with added noise as it
 * is and flipped along each of the axes. Holds the logits of the whole volume.
 *
 * @param window how each pass covers the volume
 * @param flipAxes 0 = z, 1 = y, 2 = x
 */
public record NoiseFlipAverage(SlidingWindow window, List<Integer> flipAxes) {
    /** Copies the list. */
    public NoiseFlipAverage {
        flipAxes = List.copyOf(flipAxes);
    }

    /**
     * Predicts one volume.
     *
     * @param image [z][y][x][channel], normalised
     * @param noise what each round adds to the image
     * @param progress told after each tile of all passes
     * @return mean logits [z][y][x][class] of 1 + rounds (1 + axes) passes
     */
    public float[] meanLogits(
            String name,
            Device device,
            List<Module> models,
            float[] image,
            Triple size,
            List<float[]> noise,
            SlidingWindow.Progress progress) {
        int all = 1 + noise.size() * (1 + flipAxes.size());
        float[] sum = pass(name, device, models, image, size, part(progress, 0, all));
        int passes = 1;
        for (float[] added : noise) {
            float[] noisy = image.clone();
            add(noisy, added);
            add(sum, pass(name, device, models, noisy, size, part(progress, passes, all)));
            passes++;
            for (int axis : flipAxes) {
                float[] logits =
                        pass(name, device, models, flipped(noisy, size, axis), size, part(progress, passes, all));
                add(sum, flipped(logits, size, axis));
                passes++;
            }
        }
        for (int i = 0; i < sum.length; i++) {
            sum[i] /= passes;
        }
        return sum;
    }

    /** Tiles of one pass as tiles of all of them. */
    private static SlidingWindow.Progress part(SlidingWindow.Progress progress, int pass, int passes) {
        return (done, total) -> progress.tiles(pass * total + done, passes * total);
    }

    private float[] pass(
            String name,
            Device device,
            List<Module> models,
            float[] image,
            Triple size,
            SlidingWindow.Progress progress) {
        float[][] planes = new float[size.d()][];
        window.predict(name, device, models, image, size, (z, logits) -> planes[z] = logits.clone(), progress);
        float[] all = new float[size.d() * planes[0].length];
        for (int z = 0; z < planes.length; z++) {
            System.arraycopy(planes[z], 0, all, z * planes[0].length, planes[0].length);
        }
        return all;
    }

    private static void add(float[] x, float[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] += y[i];
        }
    }

    private static float[] flipped(float[] x, Triple size, int axis) {
        float[] y = new float[x.length];
        int c = x.length / (size.d() * size.h() * size.w());
        int length = axis == 0 ? size.d() : axis == 1 ? size.h() : size.w();
        int inner = c * (axis == 0 ? size.h() * size.w() : axis == 1 ? size.w() : 1);
        for (int block = 0; block < x.length / inner; block++) {
            int i = block % length;
            System.arraycopy(x, block * inner, y, (block - i + length - 1 - i) * inner, inner);
        }
        return y;
    }
}
