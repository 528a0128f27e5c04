package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GptModelTest {
    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void libtorchAgreesWithThePlainJavaForwardPass(GptConfig config) {
        // Larger than a fresh model's, so that attention and GELU leave their linear range.
        GptWeights weights = scaled(new RandomGptWeights(config, 5), 4);
        int[] ids = new SplittableRandom(9).ints(40, 0, 270).toArray();
        float[][] expected = new ReferenceForward(weights).logits(ids);
        float[][] actual = new LibtorchLogits(weights).logits(ids);
        for (int t = 0; t < ids.length; t++) {
            assertThat(actual[t]).as("position %d", t).containsExactly(expected[t], within(5e-5f));
        }
    }

    /** So many sequences that their attention weights are no longer held at once. */
    @Test
    void aSequenceIsReadTheSameAloneAndAmongMany() {
        GptConfig config = new GptConfig(1, 2, 8, 1100, 270, 0);
        GptModel model = new GptModel(GptParameters.frozen(scaled(new RandomGptWeights(config, 5), 4)));
        int sequences = 15;
        long[] ids = new SplittableRandom(9).longs(1100, 0, 270).toArray();
        long[] many = new long[sequences * ids.length];
        for (int i = 0; i < many.length; i++) {
            many[i] = ids[i % ids.length];
        }
        try (PointerScope _ = new PointerScope()) {
            float[] alone = Torch.read(model.hidden(Torch.longs(ids, 1, ids.length), Dropout.NONE));
            float[] among = Torch.read(model.hidden(Torch.longs(many, sequences, ids.length), Dropout.NONE));
            assertThat(Arrays.copyOf(among, alone.length)).containsExactly(alone, within(1e-4f));
            assertThat(Arrays.copyOfRange(among, among.length - alone.length, among.length))
                    .containsExactly(alone, within(1e-4f));
        }
    }

    /** Along a tensor's own gradient the loss changes by the gradient's length squared, by the definition of a gradient. */
    @ParameterizedTest
    @ValueSource(ints = {40, 300})
    void gradientsAreThoseOfTheLoss(int tokens) {
        GptConfig config = new GptConfig(2, 2, 64, 300, 270, 0);
        GptParameters parameters = new GptParameters(scaled(new RandomGptWeights(config, 5), 4));
        GptModel model = new GptModel(parameters);
        long[] ids = new SplittableRandom(9).longs(2L * tokens, 0, 270).toArray();
        long[] targets = new SplittableRandom(10).longs(2L * tokens, 0, 270).toArray();
        try (PointerScope _ = new PointerScope()) {
            model.loss(Torch.longs(ids, 2, tokens), Torch.longs(targets, 2, tokens), Dropout.NONE)
                    .backward();
        }
        for (String name : config.tensorShapes().keySet()) {
            float[] weights = parameters.tensor(name);
            float[] gradient;
            try (PointerScope _ = new PointerScope()) {
                gradient = Torch.read(parameters.get(name).grad());
            }
            double squared = 0;
            for (float g : gradient) {
                squared += (double) g * g;
            }
            // Short where the loss is steep and so soon curved, longer where it is flat and float32 would not show a
            // change.
            double step = (squared > 0.25 ? 0.001 : 0.02) / Math.sqrt(squared);
            double rise = moved(parameters, model, name, weights, gradient, step, ids, targets, tokens)
                    - moved(parameters, model, name, weights, gradient, -step, ids, targets, tokens);
            Torch.write(weights, parameters.get(name));
            assertThat(rise / (2 * step)).as(name).isCloseTo(squared, withinPercentage(2));
        }
    }

    private static double moved(
            GptParameters parameters,
            GptModel model,
            String name,
            float[] weights,
            float[] direction,
            double step,
            long[] ids,
            long[] targets,
            int tokens) {
        float[] values = weights.clone();
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (step * direction[i]);
        }
        Torch.write(values, parameters.get(name));
        try (PointerScope _ = new PointerScope()) {
            return model.loss(Torch.longs(ids, 2, tokens), Torch.longs(targets, 2, tokens), Dropout.NONE)
                    .item_float();
        }
    }

    @Test
    void logitsRefuseIdsOutsideTheVocabularyAndTextsBeyondTheContext() {
        LibtorchLogits logits =
                new LibtorchLogits(new RandomGptWeights(Preset.named("tiny").config(), 5));
        assertThatThrownBy(() -> logits.logits(new int[] {1, 300})).hasMessageContaining("token id 300");
        assertThatThrownBy(() -> logits.logits(new int[129])).hasMessageContaining("129 token ids");
        assertThatThrownBy(() -> logits.logits(new int[0])).hasMessageContaining("0 token ids");
    }

    @Test
    void weightDecayReachesMatricesAndEmbeddingsAlone() {
        GptWeights before = new RandomGptWeights(Preset.named("tiny").config(), 5);
        GptParameters parameters = new GptParameters(before);
        AdamW optimizer = new AdamW(parameters, 0.9, 0.99, 0.5);
        // Without gradients, decay is all that a step does: 1 - 0.1 * 0.5.
        optimizer.step(0.1);
        for (Map.Entry<String, long[]> tensor : before.config().tensorShapes().entrySet()) {
            float[] expected = before.tensor(tensor.getKey());
            if (tensor.getValue().length == 2) {
                for (int i = 0; i < expected.length; i++) {
                    expected[i] *= 0.95f;
                }
            }
            assertThat(parameters.tensor(tensor.getKey())).as(tensor.getKey()).containsExactly(expected, within(1e-7f));
        }
    }

    @Test
    void adamWFollowsThePaper() {
        GptConfig config = new GptConfig(1, 1, 2, 2, 2, 0);
        GptParameters parameters = new GptParameters(new RandomGptWeights(config, 1));
        AdamW optimizer = new AdamW(parameters, 0.8, 0.9, 0.01);
        double[] weights = doubles(Torch.read(parameters.values()));
        double[] mean = new double[weights.length];
        double[] variance = new double[weights.length];
        SplittableRandom random = new SplittableRandom(2);
        for (int step = 1; step <= 3; step++) {
            float[] gradient = new float[weights.length];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = (float) random.nextDouble(-1, 1);
                mean[i] = 0.8 * mean[i] + 0.2 * gradient[i];
                variance[i] = 0.9 * variance[i] + 0.1 * gradient[i] * gradient[i];
                double decay = i < parameters.decayed().getFirst().length() ? 1 - 0.05 * 0.01 : 1;
                double m = mean[i] / (1 - Math.pow(0.8, step));
                double v = variance[i] / (1 - Math.pow(0.9, step));
                weights[i] = weights[i] * decay - 0.05 * m / (Math.sqrt(v) + 1e-8);
            }
            Torch.write(gradient, parameters.gradients());
            optimizer.step(0.05);
        }
        assertThat(doubles(Torch.read(parameters.values()))).containsExactly(weights, within(1e-6));
    }

    @Test
    void longGradientsAreScaledToTheClipAndShortOnesLeftAlone() {
        GptParameters parameters = new GptParameters(new RandomGptWeights(new GptConfig(1, 1, 2, 2, 2, 0), 1));
        AdamW optimizer = new AdamW(parameters, 0.9, 0.99, 0);
        float[] gradient = new float[(int) parameters.config().parameters()];
        gradient[3] = 3;
        gradient[5] = -4;
        Torch.write(gradient, parameters.gradients());
        assertThat(optimizer.clip(10)).isCloseTo(5, within(1e-6));
        assertThat(Torch.read(parameters.gradients())).isEqualTo(gradient);
        assertThat(optimizer.clip(1)).isCloseTo(5, within(1e-6));
        float[] clipped = Torch.read(parameters.gradients());
        assertThat(clipped[3]).isCloseTo(0.6f, within(1e-6f));
        assertThat(clipped[5]).isCloseTo(-0.8f, within(1e-6f));
    }

    @Test
    void dropoutDropsWhatItsSeedSays() {
        GptConfig config = new GptConfig(1, 2, 32, 16, 50, 0.5);
        GptModel model = new GptModel(new GptParameters(new RandomGptWeights(config, 1)));
        try (PointerScope _ = new PointerScope()) {
            long[] ids = {1, 2, 3, 4};
            float[] calm = Torch.read(model.forward(Torch.longs(ids, 1, 4), Dropout.NONE));
            assertThat(Torch.read(model.forward(Torch.longs(ids, 1, 4), Dropout.NONE)))
                    .isEqualTo(calm);
            float[] dropped = Torch.read(model.forward(Torch.longs(ids, 1, 4), new Dropout(0.5, 7)));
            assertThat(dropped).isNotEqualTo(calm);
            assertThat(Torch.read(model.forward(Torch.longs(ids, 1, 4), new Dropout(0.5, 7))))
                    .isEqualTo(dropped);
            assertThat(Torch.read(model.forward(Torch.longs(ids, 1, 4), new Dropout(0.5, 8))))
                    .isNotEqualTo(dropped);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.2, 0.5, 0.9})
    void dropoutDropsItsShareAndKeepsTheMean(double rate) {
        try (PointerScope _ = new PointerScope()) {
            int numbers = 100_001;
            Tensor ones = torch.ones(new long[] {numbers}, new TensorOptions(torch.ScalarType.Float));
            double kept = 0;
            double sum = 0;
            for (float x : Torch.read(new Dropout(rate, 3).apply(ones))) {
                kept += x == 0 ? 0 : 1;
                sum += x;
            }
            // Five standard deviations of a share.
            double tolerance = 5 * Math.sqrt(rate * (1 - rate) / numbers);
            assertThat(1 - kept / numbers).isCloseTo(rate, within(tolerance));
            assertThat(sum / numbers).isCloseTo(1, within(tolerance / (1 - rate)));
        }
    }

    /** Of values that are all 1, attention takes the sum of its weights. */
    @Test
    void dropoutDropsAttentionWeightsAndEnlargesTheOthers() {
        GptModel model =
                new GptModel(GptParameters.frozen(new RandomGptWeights(new GptConfig(1, 2, 8, 128, 270, 0.25), 5)));
        try (PointerScope _ = new PointerScope()) {
            Tensor ones = torch.ones(new long[] {16, 2, 128, 4}); // [B, H, T, s]
            Tensor sums =
                    model.attend(ones, ones, ones, false, new Dropout(0.25, 7)).contiguous();
            float[] flat = Torch.read(sums);
            double mean = 0;
            for (int i = 0; i < flat.length; i += 4) {
                int weights = i / 4 % 128 + 1; // each 1 / weights before some are dropped
                double kept = flat[i] * weights * 0.75;
                assertThat(kept).isCloseTo(Math.rint(kept), within(1e-3));
                mean += 4.0 * flat[i] / flat.length;
            }
            assertThat(mean).isCloseTo(1, within(0.01));
            for (float sum : Torch.read(
                    model.attend(ones, ones, ones, false, Dropout.NONE).contiguous())) {
                assertThat(sum).isCloseTo(1, within(1e-6f));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.weir.train.SmallGpts#all")
    void bfloat16ProductsLeadTheSameWay(GptConfig config) {
        GptWeights weights = scaled(new RandomGptWeights(config, 5), 1.5f);
        long[] ids = new SplittableRandom(9).longs(80, 0, 270).toArray();
        long[] targets = new SplittableRandom(10).longs(80, 0, 270).toArray();
        GptParameters exact = new GptParameters(weights);
        GptParameters reduced = new GptParameters(weights);
        double exactLoss = backward(new GptModel(exact, Matmul.FP32), ids, targets);
        double reducedLoss = backward(new GptModel(reduced, Matmul.BF16), ids, targets);
        assertThat(reducedLoss).isCloseTo(exactLoss, withinPercentage(0.5)).isNotEqualTo(exactLoss);
        assertThat(cosine(Torch.read(exact.gradients()), Torch.read(reduced.gradients())))
                .isGreaterThan(0.999);
    }

    private static double backward(GptModel model, long[] ids, long[] targets) {
        try (PointerScope _ = new PointerScope()) {
            Tensor loss = model.loss(Torch.longs(ids, 2, 40), Torch.longs(targets, 2, 40), Dropout.NONE);
            loss.backward();
            return loss.item_float();
        }
    }

    private static double cosine(float[] a, float[] b) {
        double ab = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            ab += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return ab / Math.sqrt(aa * bb);
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    private static GptWeights scaled(GptWeights weights, float factor) {
        return new GptWeights() {
            @Override
            public GptConfig config() {
                return weights.config();
            }

            @Override
            public float[] tensor(String name) {
                float[] values = weights.tensor(name);
                SplittableRandom random = new SplittableRandom(name.hashCode());
                for (int i = 0; i < values.length; i++) {
                    // Biases and norms too are given something to say.
                    values[i] = values[i] * (name.startsWith("h.") ? factor : 1) + (float) random.nextDouble(-0.1, 0.1);
                }
                return values;
            }
        };
    }
}
