package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.op.FeatureMap;
import dev.voxgrad.engine.op.Pool;
import dev.voxgrad.engine.op.Triple;
import dev.voxgrad.engine.tensor.Shape;
import dev.voxgrad.engine.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** A piece of a network with one input and one output, as data: names and sizes of its layers. Weights come with the pass. */
sealed interface Block permits ConvBlock, ResidualBlock, Block.MaxPool {
    /** Adds its parameters in the order of the state dict. */
    void declare(List<ParameterSpec> specs);

    /** Shape of the output for an input [N,D,H,W,in]. */
    Shape output(Shape x);

    /** Multiply-adds of the convolutions for an input of this shape. */
    long macs(Shape x);

    /**
     * Applies it. The input stays, everything else on the way is done.
     *
     * @param into where to write what is stored of the result; empty = a new tensor
     */
    FeatureMap forward(Pass pass, FeatureMap x, Optional<Tensor> into);

    /** Largest value of blocks of voxels; trailing voxels are dropped. Never the last of a stage, so it writes no given tensor. */
    record MaxPool(Triple kernel) implements Block {
        @Override
        public void declare(List<ParameterSpec> specs) {} // nothing to learn

        @Override
        public Shape output(Shape x) {
            return x.withGrid(x.d() / kernel.d(), x.h() / kernel.h(), x.w() / kernel.w());
        }

        @Override
        public long macs(Shape x) {
            return 0;
        }

        @Override
        public FeatureMap forward(Pass pass, FeatureMap x, Optional<Tensor> into) {
            if (into.isPresent()) {
                throw new IllegalArgumentException("a pool cannot end a stage");
            }
            return Pool.apply(pass.tape(), x, Pool.Kind.MAX, kernel);
        }
    }
}
