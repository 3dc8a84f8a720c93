package dev.voxgrad.engine.optim;

import dev.voxgrad.engine.nn.ParameterSpec;
import dev.voxgrad.engine.tensor.Shape;

/** A tensor of one to five axes in PyTorch's layout, and its place in memory: the second axis is stored last. */
record TorchTensor(int... shape) {
    int elements() {
        int n = 1;
        for (int size : shape) {
            n *= size;
        }
        return n;
    }

    int axes() {
        return shape.length;
    }

    /** Elements of one entry of the first axis. */
    int row() {
        return elements() / shape[0];
    }

    private int second() {
        return axes() > 1 ? shape[1] : elements();
    }

    private int behindSecond() {
        return axes() > 1 ? row() / shape[1] : 1;
    }

    ParameterSpec spec(String name) {
        return axes() == 1
                ? new ParameterSpec(name, ParameterSpec.Role.BIAS, Shape.vector(elements()), 1)
                : new ParameterSpec(
                        name, ParameterSpec.Role.WEIGHT, new Shape(shape[0], 1, 1, behindSecond(), second()), 1);
    }

    /** Whether Ranger21 centres the gradient: never that of a vector, on wish only those of weights of convolutions. */
    boolean centred(Ranger21.Components components, boolean convolutionsOnly) {
        return components.centralize() && axes() > (convolutionsOnly ? 3 : 1);
    }

    /** Ranger21's groups: one axis: all; two or three: along the second; more: all but the first. */
    Ranger21.Rows rows(Ranger21.Components components, boolean convolutionsOnly) {
        if (axes() == 1) {
            return new Ranger21.Rows(elements(), 0);
        }
        return new Ranger21.Rows(axes() < 4 ? second() : row(), centred(components, convolutionsOnly) ? row() : 0);
    }

    private int inMemory(int torch) {
        int b = torch / behindSecond() % second();
        int rest = torch % behindSecond();
        int a = torch / (second() * behindSecond());
        return (a * behindSecond() + rest) * second() + b;
    }

    float[] toMemory(double[] torch) {
        float[] memory = new float[torch.length];
        for (int i = 0; i < torch.length; i++) {
            memory[inMemory(i)] = (float) torch[i];
        }
        return memory;
    }

    double[] toTorch(float[] memory) {
        double[] torch = new double[memory.length];
        for (int i = 0; i < torch.length; i++) {
            torch[i] = memory[inMemory(i)];
        }
        return torch;
    }
}
