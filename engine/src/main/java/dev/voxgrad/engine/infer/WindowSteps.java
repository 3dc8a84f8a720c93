package dev.voxgrad.engine.infer;

import dev.voxgrad.engine.ConfigException;
import java.util.stream.IntStream;

/** First indices of the tiles along one axis. */
public final class WindowSteps {
    private WindowSteps() {}

    /**
     * nnU-Net's rule: the first tile touches the low border, the last one the high border, the others lie evenly between. A tile
     * of one voxel (a 2D network on a volume) visits every index once.
     *
     * @param n length of the axis, at least the tile
     * @param tile length of the tile
     * @param step largest distance of two tiles as a share of the tile, in (0, 1]
     */
    public static int[] nnunet(int n, int tile, double step) {
        if (!(step > 0 && step <= 1)) {
            throw new ConfigException(
                    "the step of the sliding window is " + step + "; use a number above 0 and up to 1");
        }
        requireFit(n, tile);
        if (tile == 1) {
            return IntStream.range(0, n).toArray();
        }
        int count = (int) Math.ceil((n - tile) / (tile * step)) + 1;
        double distance = count == 1 ? 0 : (double) (n - tile) / (count - 1);
        return IntStream.range(0, count).map(i -> (int) Math.rint(distance * i)).toArray();
    }

    /**
     * MONAI's rule: a fixed interval, the last tile pulled back to end inside.
     *
     * @param overlap share of a tile that the next one covers too, in [0, 1)
     */
    public static int[] monai(int n, int tile, double overlap) {
        if (!(overlap >= 0 && overlap < 1)) {
            throw new ConfigException(
                    "the overlap of the sliding window is " + overlap + "; use a number from 0 and below 1");
        }
        requireFit(n, tile);
        int interval = tile == n ? tile : Math.max(1, (int) (tile * (1 - overlap)));
        int count = (n - tile + interval - 1) / interval + 1;
        return IntStream.range(0, count)
                .map(i -> Math.min(i * interval, n - tile))
                .toArray();
    }

    private static void requireFit(int n, int tile) {
        if (tile < 1 || n < tile) {
            throw new IllegalArgumentException(
                    "a tile of " + tile + " voxels on an axis of " + n + "; pad the axis first");
        }
    }
}
