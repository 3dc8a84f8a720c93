package dev.voxgrad.bench;

import java.util.Map;

/**
 * Where two answers differ most.
 *
 * @param value largest difference, relative to the largest magnitude of its tensor; NaN when either holds one
 */
record Difference(double value, String tensor, int index, float ours, float peer) {
    /**
     * Compares tensors by name.
     *
     * @throws IllegalStateException when names or lengths do not agree
     */
    static Difference of(Map<String, float[]> ours, Map<String, float[]> peer) {
        if (!ours.keySet().equals(peer.keySet())) {
            throw new IllegalStateException("answers have " + ours.keySet() + " and " + peer.keySet());
        }
        Difference worst = new Difference(0, "", 0, 0, 0);
        for (Map.Entry<String, float[]> entry : ours.entrySet()) {
            Difference found = of(entry.getKey(), entry.getValue(), peer.get(entry.getKey()));
            if (!(found.value <= worst.value)) {
                worst = found;
            }
            if (Double.isNaN(worst.value)) {
                return worst;
            }
        }
        return worst;
    }

    private static Difference of(String name, float[] ours, float[] peer) {
        if (ours.length != peer.length) {
            throw new IllegalStateException(name + " has " + ours.length + " and " + peer.length + " elements");
        }
        double scale = 0;
        int worst = 0;
        for (int i = 0; i < ours.length; i++) {
            scale = Math.max(scale, Math.abs(peer[i]));
            // Also finds a NaN, which then stays the worst.
            if (!(Math.abs(ours[i] - peer[i]) <= Math.abs(ours[worst] - peer[worst]))
                    && !Float.isNaN(ours[worst] - peer[worst])) {
                worst = i;
            }
        }
        double difference = Math.abs((double) ours[worst] - peer[worst]);
        return new Difference(difference == 0 ? 0 : difference / scale, name, worst, ours[worst], peer[worst]);
    }

    @Override
    public String toString() {
        return "%s[%d] is %g, the peer has %g; %.2g of the largest magnitude"
                .formatted(tensor, index, ours, peer, value);
    }
}
