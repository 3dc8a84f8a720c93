package dev.voxgrad.engine.plan;

import java.util.List;

/**
 * Which label a voxel gets from its logits.
 *
 * <p>Without regions it is that of the {@link Outputs}. With regions the voxel starts as background, and each region in order whose
 * logit is above 0 (p > 1/2) writes its value over those before.
 *
 * @param outputs what the channels stand for
 * @param regions one per channel; none where channels are labels
 */
public record LabelRule(Outputs outputs, List<LabelRegion> regions) {
    /** Copies the list. */
    public LabelRule {
        regions = List.copyOf(regions);
    }

    /** Channels are labels. */
    public static LabelRule of(Outputs outputs) {
        return new LabelRule(outputs, List.of());
    }

    /**
     * The label of a voxel.
     *
     * @param logits of this and other voxels
     * @param from index of the voxel's first channel
     * @param channels number of channels
     */
    public int label(float[] logits, int from, int channels) {
        int label = 0;
        if (!regions.isEmpty()) {
            for (int c = 0; c < channels; c++) {
                label = logits[from + c] > 0 ? regions.get(c).value() : label;
            }
            return label;
        }
        float most = outputs.threshold();
        for (int c = 0; c < channels; c++) {
            float value = logits[from + c];
            if (value > most) {
                most = value;
                label = c + outputs.firstLabel();
            }
        }
        return label;
    }
}
