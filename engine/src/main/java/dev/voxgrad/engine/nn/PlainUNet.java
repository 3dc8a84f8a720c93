package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.autograd.Tape;
import dev.voxgrad.engine.op.Conv3d;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Scope;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The plain U-Net of nnU-Net ({@code PlainConvUNet}), 2D and 3D: strided convolutions down, transposed convolutions up, skip
 * connections by concatenation (upsampled channels first), one 1x1 head for each decoder stage. Names are those of nnU-Net's state
 * dict. Without deep supervision the heads of the lower resolutions exist as weights but are not evaluated.
 *
 * <p>Isensee et al., nnU-Net, Nature Methods 18, 2021.
 */
public final class PlainUNet implements Module {
    /** The architecture's name in a {@link NetworkSpec}. */
    public static final String NAME = "PlainConvUNet";

    private record Head(Tensor weight, Tensor bias) {
        Tensor forward(Tape tape, Tensor x) {
            return Conv3d.apply(tape, x, weight, Optional.of(bias), Triple.of(1), Triple.of(0));
        }
    }

    private final NetworkSpec spec;
    private final Parameters parameters;
    private final List<ConvStage> encoder = new ArrayList<>();
    private final List<UpBlock> decoder = new ArrayList<>();
    private final List<Head> heads = new ArrayList<>();

    /**
     * Allocates the network; its weights are undefined until they are loaded or initialized.
     *
     * @param scope owner of the weights
     */
    public PlainUNet(NetworkSpec spec, Scope scope) {
        this.spec = spec;
        this.parameters = new Parameters(scope, spec.dim(), declare(spec));
        for (int s = 0; s < spec.stages(); s++) {
            encoder.add(new ConvStage(
                    parameters, encoderName(s), spec.encoderConvs().get(s), spec.stride(s), spec));
        }
        for (int d = 0; d < spec.stages() - 1; d++) {
            decoder.add(new UpBlock(parameters, d, spec));
            heads.add(new Head(parameters.get(headName(d) + ".weight"), parameters.get(headName(d) + ".bias")));
        }
    }

    /** The parameters of a network without building it, in the order of nnU-Net's state dict. */
    static List<ParameterSpec> declare(NetworkSpec spec) {
        List<ParameterSpec> specs = new ArrayList<>();
        long in = spec.inChannels();
        for (int s = 0; s < spec.stages(); s++) {
            long f = spec.features().get(s);
            ConvStage.declare(specs, encoderName(s), spec.encoderConvs().get(s), in, f, spec.kernel(s));
            in = f;
        }
        int steps = spec.stages() - 1;
        for (int d = 0; d < steps; d++) {
            UpBlock.declareConvs(specs, d, spec);
        }
        for (int d = 0; d < steps; d++) {
            UpBlock.declareTransposed(specs, d, spec);
        }
        for (int d = 0; d < steps; d++) {
            ParameterSpec.convolution(
                    specs, headName(d), spec.features().get(steps - 1 - d), spec.classes(), Triple.of(1));
        }
        return specs;
    }

    private static String encoderName(int stage) {
        return "encoder.stages." + stage + ".0";
    }

    private static String headName(int d) {
        return "decoder.seg_layers." + d;
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
        List<Tensor> buffers = new ArrayList<>();
        List<Tensor> skips = new ArrayList<>();
        int last = encoder.size() - 1;
        Tensor current = x;
        for (int s = 0; s < last; s++) {
            long f = spec.features().get(s);
            Tensor buffer = tape.output(grid(x.shape(), s).withChannels(2 * f));
            // The input of a stage is the image or a skip connection, which the decoder needs: never done here.
            current = encoder.get(s).forward(tape, current, Optional.of(buffer.slice(f, f)), false);
            buffers.add(buffer);
            skips.add(current);
        }
        current = encoder.get(last).forward(tape, current, Optional.empty(), false);
        List<Tensor> outputs = new ArrayList<>();
        for (int d = 0; d < decoder.size(); d++) {
            int level = last - 1 - d;
            current = decoder.get(d).forward(tape, current, buffers.get(level), skips.get(level));
            if (level == 0 || spec.deepSupervision()) {
                outputs.addFirst(heads.get(d).forward(tape, current));
            }
        }
        tape.done(current);
        return List.copyOf(outputs);
    }

    private Shape grid(Shape input, int stage) {
        Triple r = spec.reduction(stage);
        return input.withGrid(input.d() / r.d(), input.h() / r.h(), input.w() / r.w());
    }
}
