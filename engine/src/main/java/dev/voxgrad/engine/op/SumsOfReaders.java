package dev.voxgrad.engine.op;

import dev.voxgrad.engine.tensor.Tensor;
import java.util.Optional;
import java.util.function.Consumer;

/** Adds up the sums [N,1,1,2,C] that the readers of one map give; the first is adopted. */
final class SumsOfReaders implements Consumer<Tensor> {
    private Optional<Tensor> total = Optional.empty();

    @Override
    public void accept(Tensor sums) {
        if (total.isPresent()) {
            total.get().addScaled(1, sums);
        } else {
            total = Optional.of(sums);
        }
    }

    /** Empty as long as no reader gave any. */
    Optional<Tensor> total() {
        return total;
    }
}
