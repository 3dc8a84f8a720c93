package dev.voxgrad.engine.nn;

import dev.voxgrad.engine.ConfigException;
import dev.voxgrad.engine.tensor.Scope;
import java.util.List;

/** From the name in a {@link NetworkSpec} to the class. */
public final class Networks {
    private Networks() {}

    /**
     * Builds a network; its weights are undefined until they are loaded or initialized.
     *
     * @param scope owner of the weights
     * @throws ConfigException when there is no network of that name
     */
    public static Module create(NetworkSpec spec, Scope scope) {
        return switch (spec.network()) {
            case PlainUNet.NAME -> new PlainUNet(spec, scope);
            default -> throw unknown(spec);
        };
    }

    /**
     * The parameters that {@link #create} would allocate.
     *
     * @throws ConfigException when there is no network of that name
     */
    public static List<ParameterSpec> parameters(NetworkSpec spec) {
        return switch (spec.network()) {
            case PlainUNet.NAME -> List.copyOf(PlainUNet.declare(spec));
            default -> throw unknown(spec);
        };
    }

    private static ConfigException unknown(NetworkSpec spec) {
        return new ConfigException(
                "network: there is no architecture \"" + spec.network() + "\"; use " + PlainUNet.NAME);
    }
}
