package dev.voxgrad.losses;

import static org.assertj.core.api.Assertions.assertThat;

import dev.voxgrad.golden.GoldenCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** Loss text of golden cases, from their parameters: what a user would write for what the reference was asked. */
final class GoldenTexts {
    private static final double DENOMINATOR_FLOOR = 1e-8;

    private GoldenTexts() {}

    /** The whole loss, and by the name of its expected scalar each part that has one. */
    record Texts(String loss, Map<String, String> parts) {
        static Texts of(String loss) {
            return new Texts(loss, Map.of());
        }

        /** A sum of two, with the names of their scalars. */
        static Texts sum(double a, String nameA, String lossA, double b, String nameB, String lossB) {
            return new Texts(a + "*" + lossA + " + " + b + "*" + lossB, Map.of(nameA, lossA, nameB, lossB));
        }
    }

    static Texts crossEntropy(GoldenCase c) {
        JsonNode p = c.params();
        return Texts.of(call(
                "ce",
                weights(c),
                "smoothing=" + p.path("label_smoothing").asDouble(0),
                "reduction=" + p.path("reduction").asString("mean")));
    }

    static Texts binaryCrossEntropy(GoldenCase c) {
        return Texts.of(bce(c, c.params().path("mask_divisor").asString("")));
    }

    private static String bce(GoldenCase c, String divisor) {
        List<String> weights = c.has("in/pos_weight") ? List.of("pos_weight=" + list(c, "in/pos_weight")) : List.of();
        boolean voxels = divisor.equals("valid_voxels");
        String reduction = voxels ? "voxel" : c.params().path("reduction").asString("mean");
        return call("bce", weights, "reduction=" + reduction);
    }

    static Texts softDice(GoldenCase c) {
        return Texts.of(dice(c));
    }

    private static String dice(GoldenCase c) {
        JsonNode p = c.params();
        assertThat(p.path("denominator_floor").asDouble(DENOMINATOR_FLOOR)).isEqualTo(DENOMINATOR_FLOOR);
        boolean sigmoid = p.path("nonlin").asString("softmax").equals("sigmoid") || c.op().equals("dice_bce");
        return call(
                "dice",
                List.of(),
                "batch=" + p.required("batch_dice").asBoolean(),
                "background=" + p.required("do_bg").asBoolean(),
                "smooth=" + p.required("smooth").asDouble(),
                "sigmoid=" + sigmoid);
    }

    static Texts monaiDice(GoldenCase c) {
        JsonNode p = c.params();
        return Texts.of(call(
                "monai_dice",
                weights(c),
                "background=" + p.required("include_background").asBoolean(),
                "batch=" + p.required("batch").asBoolean(),
                "squared=" + p.required("squared_pred").asBoolean(),
                "jaccard=" + p.required("jaccard").asBoolean(),
                "reduction=" + p.required("reduction").asString(),
                "sigmoid=" + p.required("nonlin").asString().equals("sigmoid"),
                smooth(p)));
    }

    /** One channel has sigmoid and binary cross entropy, with the weight as that of its foreground. */
    static Texts monaiDiceAndCrossEntropy(GoldenCase c) {
        JsonNode p = c.params();
        boolean one = c.tensor("in/logits").shape()[1] == 1;
        String dice = call(
                "monai_dice",
                one ? List.of() : weights(c),
                "background=" + p.required("include_background").asBoolean(),
                "batch=" + p.required("batch").asBoolean(),
                smooth(p));
        String positive = one && c.has("in/class_weights") ? "pos_weight=" + list(c, "in/class_weights") : "";
        String ce = one ? "bce(" + positive + ")" : call("ce", weights(c));
        return Texts.of(p.required("lambda_dice").asDouble() + "*" + dice + " + "
                + p.required("lambda_ce").asDouble() + "*" + ce);
    }

    static Texts generalizedDice(GoldenCase c) {
        return Texts.of(gdl(c.params()));
    }

    private static String gdl(JsonNode p) {
        return call(
                "gdl",
                List.of(),
                "weighting=" + p.required("w_type").asString(),
                "background=" + p.required("include_background").asBoolean(),
                "batch=" + p.required("batch").asBoolean(),
                "sigmoid=" + p.path("nonlin").asString("softmax").equals("sigmoid"),
                smooth(p));
    }

    static Texts generalizedDiceOfNnunetV1(GoldenCase c) {
        JsonNode p = c.params();
        assertThat(p.required("volume_eps").asDouble()).isEqualTo(1e-6);
        double smooth = p.required("smooth").asDouble();
        return Texts.of(call(
                "gdl",
                List.of("nnunet_v1=true"),
                "weighting=" + (p.required("square_volumes").asBoolean() ? "square" : "simple"),
                "background=" + p.required("do_bg").asBoolean(),
                "batch=" + p.required("batch_dice").asBoolean(),
                "smooth_nr=" + smooth,
                "smooth_dr=" + smooth));
    }

    static Texts weightedCrossEntropyAndDice(GoldenCase c) {
        JsonNode p = c.params();
        String dice = call(
                "wdice",
                weights(c),
                "normalized=" + p.required("normalize_class_weights").asBoolean(),
                "batch=" + p.required("batch_dice").asBoolean(),
                "smooth=" + p.required("smooth").asDouble());
        return Texts.sum(
                p.required("ce_weight").asDouble(),
                "weighted_ce",
                call("wce", weights(c)),
                p.required("dice_weight").asDouble(),
                "weighted_dice",
                dice);
    }

    static Texts weightedCrossEntropyAndGeneralizedDice(GoldenCase c) {
        JsonNode p = c.params();
        return Texts.sum(
                p.required("ce_weight").asDouble(),
                "ce_part",
                call("wce", weights(c)),
                p.required("gdl_weight").asDouble(),
                "gdl_part",
                gdl(p));
    }

    static Texts topK(GoldenCase c) {
        assertThat(c.params().required("min_count").asInt()).isEqualTo(1);
        return Texts.of(topKText(c));
    }

    /** The reference counts ignored voxels too. */
    private static String topKText(GoldenCase c) {
        double percent = c.params().required("k").asDouble();
        return call(
                "topk",
                List.of(TermText.number(percent) + "e-2"),
                weights(c).stream().findFirst().orElse("per=batch"),
                "smoothing=" + c.params().path("label_smoothing").asDouble(0),
                "reference=true");
    }

    static Texts diceAndCrossEntropy(GoldenCase c) {
        return withDice(c, "weight_ce", "ce_part", call("ce", weights(c)));
    }

    static Texts diceAndTopK(GoldenCase c) {
        return withDice(c, "weight_ce", "ce_part", topKText(c));
    }

    static Texts diceAndBinaryCrossEntropy(GoldenCase c) {
        String divisor = c.params().required("mask").asBoolean() ? "valid_voxels" : "";
        return withDice(c, "weight_ce", "bce_part", bce(c, divisor));
    }

    private static Texts withDice(GoldenCase c, String weight, String name, String other) {
        return Texts.sum(
                c.params().path("weight_dice").asDouble(1),
                "dice_part",
                dice(c),
                c.params().path(weight).asDouble(1),
                name,
                other);
    }

    static Texts blob(GoldenCase c) {
        JsonNode p = c.params();
        String inner = p.required("w_bce").asDouble() + "*bce + "
                + p.required("w_dice").asDouble() + "*monai_dice(sigmoid=true, " + smooth(p) + ")";
        String settings =
                ", connectivity=" + connectivity(p.required("connectivity").asString()) + ", mask="
                        + p.required("mask_mode").asString();
        Map<String, String> parts = new LinkedHashMap<>();
        parts.put("main", inner);
        parts.put("blob", "blob(" + inner + ", alpha=0, beta=1" + settings + ")");
        return new Texts(
                "blob(%s, alpha=%s, beta=%s%s)"
                        .formatted(
                                inner,
                                p.required("alpha").asDouble(),
                                p.required("beta").asDouble(),
                                settings),
                parts);
    }

    static int connectivity(String name) {
        return switch (name) {
            case "faces" -> 6;
            case "faces+edges" -> 18;
            case "all" -> 26;
            default -> throw new IllegalArgumentException("connectivity " + name);
        };
    }

    private static String smooth(JsonNode p) {
        return "smooth_nr=" + p.required("smooth_nr").asDouble() + ", smooth_dr="
                + p.required("smooth_dr").asDouble();
    }

    private static List<String> weights(GoldenCase c) {
        return c.has("in/class_weights") ? List.of("weights=" + list(c, "in/class_weights")) : List.of();
    }

    private static String list(GoldenCase c, String key) {
        return Arrays.stream(c.tensor(key).values())
                .mapToObj(TermText::number)
                .collect(Collectors.joining(", ", "[", "]"));
    }

    private static String call(String name, List<String> first, String... arguments) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(arguments));
        return name + "(" + String.join(", ", all) + ")";
    }
}
