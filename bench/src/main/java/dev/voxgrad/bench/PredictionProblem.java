package dev.voxgrad.bench;

import dev.voxgrad.engine.infer.ImportanceMap;
import dev.voxgrad.engine.infer.WindowSteps;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Precision;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A prediction of a volume that is larger than what the network sees: nnU-Net's sliding window without mirroring.
 *
 * @param tile the network on one tile
 * @param volume voxels
 */
public record PredictionProblem(String name, NetworkProblem tile, Triple volume) implements Problem {
    /** Distance of two tiles, in tiles. */
    private static final double STEP = 0.5;

    static PredictionProblem of(Rows.Row row) {
        return new PredictionProblem(row.text("name"), NetworkProblem.of(row), row.triple("volume"));
    }

    @Override
    public Precision precision() {
        return tile.precision();
    }

    /** Voxels of a tile. */
    public Triple window() {
        return new Triple((int) tile.input().d(), (int) tile.input().h(), (int)
                tile.input().w());
    }

    /** First voxels of all tiles. */
    public List<Triple> places() {
        List<Triple> places = new ArrayList<>();
        Triple t = window();
        for (int z : WindowSteps.nnunet(volume.d(), t.d(), STEP)) {
            for (int y : WindowSteps.nnunet(volume.h(), t.h(), STEP)) {
                for (int x : WindowSteps.nnunet(volume.w(), t.w(), STEP)) {
                    places.add(new Triple(z, y, x));
                }
            }
        }
        return places;
    }

    /** Weights of the voxels of a tile, [z][y][x]. */
    public float[] weights() {
        return ImportanceMap.NNUNET_GAUSSIAN.weights(window());
    }

    /** The volume [z][y][x][channel]. */
    public float[] image() {
        return Data.normal(6, (long) voxels() * tile.input().c());
    }

    /** Voxels of the volume. */
    public int voxels() {
        return volume.d() * volume.h() * volume.w();
    }

    @Override
    public List<Direction> directions() {
        return List.of(Direction.FORWARD);
    }

    /** Convolutions of all tiles. */
    @Override
    public double flops(Direction direction) {
        return places().size() * tile.flops(Direction.FORWARD);
    }

    @Override
    public double tolerance() {
        return tile.tolerance();
    }

    /** Two tiles next to each other, so that a side may take both at once. */
    @Override
    public Optional<Problem> sample() {
        Triple t = window();
        Triple two = new Triple(t.d(), t.h(), Math.min(volume.w(), t.w() + t.w() / 2));
        return two.equals(volume) ? Optional.empty() : Optional.of(new PredictionProblem(name, tile, two));
    }
}
