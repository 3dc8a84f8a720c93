package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.FeatureMap;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Profiler;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A U-Net of any family: an encoder that halves the resolution stage by stage, a decoder that goes back up, skip connections by
 * concatenation, 1x1 heads. Without deep supervision the heads of the lower resolutions exist as weights but are not evaluated.
 */
final class UNet implements Module {
    private final NetworkSpec spec;
    private final UNetLayout layout;
    private final Parameters parameters;

    /**
     * Allocates the network; its weights are undefined until they are loaded or initialized.
     *
     * @param scope owner of the weights
     */
    UNet(NetworkSpec spec, Scope scope) {
        this.spec = spec;
        this.layout = UNetLayout.of(spec);
        this.parameters = new Parameters(scope, spec.dim(), Networks.parameters(spec));
    }

    @Override
    public NetworkSpec spec() {
        return spec;
    }

    @Override
    public Parameters parameters() {
        return parameters;
    }

    @Override
    public List<Tensor> forward(Tape tape, Tensor x) {
        spec.requireInput(x.shape());
        tape.scope().device().profiler().phase(Profiler.Phase.FORWARD, "");
        Pass pass = new Pass(tape, parameters);
        List<Tensor> buffers = new ArrayList<>();
        List<FeatureMap> skips = new ArrayList<>();
        int last = spec.stages() - 1;
        FeatureMap current = FeatureMap.of(x);
        for (int level = 0; level < last; level++) {
            UpBlock up = layout.decoder().get(last - 1 - level).up();
            Tensor buffer = tape.output(grid(x.shape(), level).withChannels(up.channels()));
            // The input of a stage is the image or a skip connection, which the decoder needs: never done here.
            current = layout.encoder().get(level).forward(pass, current, Optional.of(up.skipOf(buffer)), false);
            buffers.add(buffer);
            skips.add(current);
        }
        current = layout.encoder().get(last).forward(pass, current, Optional.empty(), false);
        List<Tensor> outputs = new ArrayList<>();
        for (int d = 0; d < last; d++) {
            int level = last - 1 - d;
            UNetLayout.Step step = layout.decoder().get(d);
            FeatureMap both = step.up().forward(pass, current, buffers.get(level), skips.get(level));
            current = step.blocks().forward(pass, both, Optional.empty(), true);
            if (step.head().isPresent() && (level == 0 || spec.deepSupervision())) {
                outputs.addFirst(step.head()
                        .get()
                        .forward(pass, current, Optional.empty())
                        .toValues(tape));
            }
        }
        current.done(tape);
        return List.copyOf(outputs);
    }

    /** The grid of a level; planes that do not fill a stride are dropped. */
    private Shape grid(Shape input, int level) {
        Triple r = spec.reduction(level);
        return input.withGrid(input.d() / r.d(), input.h() / r.h(), input.w() / r.w());
    }
}
