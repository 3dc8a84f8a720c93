package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.LossProblem;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Blob loss as its authors published it: a loop over the components of a given map, each with passes over the whole volume in
 * which the logits of the other components are multiplied by 0; BCE and MONAI's sigmoid Dice. Kinder than the original in memory
 * only: each component's gradient is taken at once, so that not all graphs live together.
 */
final class EagerBlobLoss {
    private static final double SMOOTH = 1e-5;

    private final LossProblem problem;
    private final List<Tensor> components = new ArrayList<>(); // of each sample (1, 1, grid)
    private final Tensor all; // (N, 1, grid) 0 and 1
    private final double alpha;
    private final double beta;

    EagerBlobLoss(Kept kept, LossProblem problem) {
        this.problem = problem;
        int[] ids = problem.components();
        float[] floats = new float[ids.length];
        for (int i = 0; i < ids.length; i++) {
            floats[i] = ids[i];
        }
        Tensor map = Layout.CONTIGUOUS.tensor(floats, problem.logits(), Layout.dim(problem.logits()));
        for (long n = 0; n < map.size(0); n++) {
            components.add(kept.keep(map.narrow(0, n, 1)));
        }
        all = kept.keep(map.gt(new Scalar(0)).to(torch.ScalarType.Float));
        alpha = problem.number("alpha", 0.66);
        beta = problem.number("beta", 0.33);
    }

    /** The loss; the gradient of its blob part has already been added to the logits. */
    Tensor value(Tensor z) {
        double share = beta / (components.size() * (double) problem.blobs());
        double blobs = 0;
        for (int n = 0; n < components.size(); n++) {
            for (int blob = 1; blob <= problem.blobs(); blob++) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor map = components.get(n);
                    Tensor own = map.eq(new Scalar(blob));
                    Tensor keep = map.eq(new Scalar(0)).logical_or(own);
                    Tensor loss = both(z.narrow(0, n, 1).mul(keep), own.to(torch.ScalarType.Float))
                            .mul(new Scalar(share));
                    loss.backward();
                    blobs += loss.item_float();
                }
            }
        }
        return both(z, all).mul(new Scalar(alpha)).add(new Scalar(blobs));
    }

    private static Tensor both(Tensor z, Tensor y) {
        long[] axes = z.dim() == 4 ? new long[] {2, 3} : new long[] {2, 3, 4};
        Tensor p = z.sigmoid();
        Tensor size = p.sum(axes).add(y.sum(axes)).add(new Scalar(SMOOTH));
        Tensor dice =
                p.mul(y).sum(axes).mul(new Scalar(2.0)).add(new Scalar(SMOOTH)).div(size);
        return torch.binary_cross_entropy_with_logits(z, y)
                .add(dice.neg().add(new Scalar(1.0)).mean());
    }
}
