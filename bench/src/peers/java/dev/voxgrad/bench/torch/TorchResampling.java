package dev.voxgrad.bench.torch;

import dev.voxgrad.bench.Side;
import dev.voxgrad.bench.VolumeProblem;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** {@code interpolate(mode="trilinear", align_corners=False)}, tensor to tensor. */
final class TorchResampling implements Side.Run {
    private final VolumeProblem problem;
    private final Kept kept = new Kept();
    private final Tensor image;

    TorchResampling(VolumeProblem problem) {
        this.problem = problem;
        Triple s = problem.from();
        try (PointerScope scope = new PointerScope()) {
            image = kept.keep(Layout.CONTIGUOUS.tensor(problem.image(), new Shape(1, s.d(), s.h(), s.w(), 1), 3));
        }
    }

    private Tensor resample() {
        Triple to = problem.to();
        return torch.upsample_trilinear3d(image, new long[] {to.d(), to.h(), to.w()}, false);
    }

    @Override
    public Map<String, float[]> answer() {
        try (PointerScope scope = new PointerScope()) {
            return Map.of("voxels", Layout.values(resample()));
        }
    }

    @Override
    public double milliseconds() {
        long start = System.nanoTime();
        try (PointerScope scope = new PointerScope()) {
            resample();
        }
        return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
        kept.close();
    }
}
