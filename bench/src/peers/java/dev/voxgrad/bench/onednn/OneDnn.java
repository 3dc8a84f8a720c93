package dev.voxgrad.bench.onednn;

import dev.voxgrad.bench.ConvProblem;
import dev.voxgrad.bench.Direction;
import dev.voxgrad.bench.Problem;
import dev.voxgrad.bench.Side;
import java.util.List;

/** oneDNN as Debian packages it ({@code libdnnl2}, found at run time): convolutions, both directions. */
public final class OneDnn implements Side {
    private final Dnnl dnnl = new Dnnl();
    private int threads = 1;

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public String version() {
        return "oneDNN " + dnnl.version();
    }

    @Override
    public void threads(int count) {
        threads = count;
    }

    @Override
    public List<String> settings(Problem problem, Direction direction) {
        return problem instanceof ConvProblem conv && !conv.transposed() ? List.of("its own layouts") : List.of();
    }

    @Override
    public Run open(Problem problem, Direction direction, String setting) {
        dnnl.threads(threads);
        return new DnnlConv(dnnl, (ConvProblem) problem, direction);
    }
}
