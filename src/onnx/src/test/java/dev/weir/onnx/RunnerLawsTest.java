package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.engine.Logits;
import dev.weir.engine.PrefillChunk;
import dev.weir.engine.StepInterruptedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a sequence computes depends on its own tokens and on nothing else, to the last bit: not on how many others are in
 * the batch, where it lies, or what a slot held before. The engine promises reproducible answers on the strength of this.
 */
class RunnerLawsTest {
    private static final int STEPS = 3;
    private static final int CHUNK = 16;
    /** Floats of these bytes are NaN, which not even a factor of zero hides. */
    private static final byte POISON = (byte) 0xFF;

    private final long seed = Long.getLong("tests.seed", System.nanoTime());
    private final Random random = new Random(seed);

    RunnerLawsTest() {
        System.out.println("RunnerLawsTest runs with -Dtests.seed=" + seed);
    }

    /** A text and what the model says of it when nothing else is computed: after the prefix, then token by token. */
    @SuppressWarnings("ArrayRecordComponent") // compared by its parts
    private record Solo(int[] text, int prefix, float[] afterPrefix, float[][] afterToken) {}

    private Solo solo(TinyModel model, int prefix) {
        int[] text = random.ints(prefix + STEPS, 0, model.vocabularySize()).toArray();
        float[] afterPrefix = model.prefill(0, text, 0, prefix, CHUNK);
        float[][] afterToken = new float[STEPS][];
        for (int step = 0; step < STEPS; step++) {
            afterToken[step] = model.decodeAlone(text[prefix + step], prefix + step);
        }
        return new Solo(text, prefix, afterPrefix, afterToken);
    }

    private Solo solo(TinyModel model) {
        return solo(model, 1 + random.nextInt(model.runner.shape().maxTokens() - STEPS));
    }

    private List<Solo> solos(TinyModel model, int count) {
        List<Solo> solos = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            solos.add(solo(model));
        }
        return solos;
    }

    @ParameterizedTest
    @CsvSource({"tiny-fp32, 1", "tiny-fp32, 2", "tiny-int8-kv8, 2", "tiny-int4, 1"})
    void aStepThatWasInterruptedIsComputedAgainAsIfItHadNotBegun(String name, int threads) throws Exception {
        try (TinyModel model = TinyModel.open(name, threads)) {
            List<Solo> solos = solos(model, 16);
            for (int row = 0; row < solos.size(); row++) {
                Solo solo = solos.get(row);
                model.prefill(row, solo.text(), 0, solo.prefix(), CHUNK);
            }
            for (int step = 0; step < STEPS; step++) {
                model.plan.clear();
                for (Solo solo : solos) {
                    model.plan.addDecodeRow(solo.text()[solo.prefix() + step], solo.prefix() + step);
                }
                interruptOnce(model);
                Logits logits = model.runner.run(model.plan);
                for (int row = 0; row < solos.size(); row++) {
                    assertThat(TinyModel.row(logits, row))
                            .isEqualTo(solos.get(row).afterToken()[step]);
                }
            }
        }
    }

    /** Computes the plan until another thread has come in between. */
    private static void interruptOnce(TinyModel model) throws InterruptedException {
        AtomicBoolean isDone = new AtomicBoolean();
        Thread other = Thread.ofPlatform().start(() -> {
            while (!isDone.get()) {
                model.runner.interrupt();
            }
        });
        try {
            while (true) {
                model.runner.run(model.plan);
            }
        } catch (StepInterruptedException e) {
            isDone.set(true);
            other.join();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "tiny-fp32, 1",
        "tiny-fp32, 4",
        "tiny-int8, 1",
        "tiny-int8, 3",
        "tiny-int8, 4",
        "tiny-int4, 1",
        "tiny-int4, 4",
        "tiny-int8-kv8, 4"
    })
    void everyDecodeRowIsBitIdenticalToTheRowAlone(String name, int threads) {
        try (TinyModel model = TinyModel.open(name, threads)) {
            List<Solo> solos = solos(model, TinyModel.SLOTS);
            for (int rows = 2; rows <= TinyModel.SLOTS; rows++) {
                model.runner.cache().fill(POISON);
                // Some slots stay empty and some hold a prompt that waits: both are idle rows of the range.
                boolean[] idle = new boolean[rows];
                boolean[] empty = new boolean[rows];
                for (int row = 0; row < rows; row++) {
                    idle[row] = random.nextInt(4) == 0;
                    empty[row] = idle[row] && random.nextBoolean();
                    if (!empty[row]) {
                        Solo solo = solos.get(row);
                        assertThat(model.prefill(row, solo.text(), 0, solo.prefix(), CHUNK))
                                .isEqualTo(solo.afterPrefix());
                    }
                }
                for (int step = 0; step < STEPS; step++) {
                    model.plan.clear();
                    for (int row = 0; row < rows; row++) {
                        Solo solo = solos.get(row);
                        if (idle[row]) {
                            model.plan.addIdleRow(empty[row] ? 0 : solo.prefix());
                        } else {
                            model.plan.addDecodeRow(solo.text()[solo.prefix() + step], solo.prefix() + step);
                        }
                    }
                    Logits logits = model.runner.run(model.plan);
                    for (int row = 0; row < rows; row++) {
                        if (!idle[row]) {
                            assertThat(TinyModel.row(logits, row))
                                    .as("row " + row + " of " + rows + ", step " + step)
                                    .isEqualTo(solos.get(row).afterToken()[step]);
                        }
                    }
                }
                // An idle row has written behind its prompt; the prompt goes on as if it had not.
                for (int row = 0; row < rows; row++) {
                    if (idle[row] && !empty[row]) {
                        assertSame(continueAt(model, row, solos.get(row)), solos.get(row));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aChunkedPrefillIsNotChangedByWhatRunsBesideIt(String name) {
        try (TinyModel model = TinyModel.open(name, 3)) {
            Solo solo = solo(model, 90);
            List<Solo> neighbours = solos(model, 4);
            model.runner.cache().fill(POISON);
            for (int slot = 0; slot < 4; slot++) {
                Solo other = neighbours.get(slot);
                model.prefill(slot, other.text(), 0, other.prefix(), CHUNK);
            }
            float[] last = new float[0];
            int step = 0;
            for (int start = 0; start < solo.prefix(); start += CHUNK) {
                int length = Math.min(CHUNK, solo.prefix() - start);
                model.plan.clear();
                int[] another = neighbours.get(0).text();
                model.plan.addChunk(new PrefillChunk(9, another, 0, Math.min(5, another.length), true));
                model.plan.addChunk(new PrefillChunk(4, solo.text(), start, length, true));
                model.plan.addChunk(new PrefillChunk(12, neighbours.get(1).text(), 0, 1, false));
                for (Solo other : neighbours) {
                    int position = other.prefix() + step % STEPS;
                    model.plan.addDecodeRow(other.text()[position], position);
                }
                // The prompt lies inside the decode range: its own row is idle, behind what this step computes.
                model.plan.addIdleRow(start + length);
                model.plan.addIdleRow(0);
                Logits logits = model.runner.run(model.plan);
                last = TinyModel.row(logits, TinyModel.SLOTS + 1);
                for (int row = 0; row < 4 && step < STEPS; row++) {
                    assertThat(TinyModel.row(logits, row))
                            .isEqualTo(neighbours.get(row).afterToken()[step]);
                }
                step++;
            }
            assertThat(last).isEqualTo(solo.afterPrefix());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aMovedSequenceGoesOnBitIdentically(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            Solo solo = solo(model);
            Solo bystander = solo(model);
            model.runner.cache().fill(POISON);
            model.prefill(20, solo.text(), 0, solo.prefix(), CHUNK);
            model.prefill(2, bystander.text(), 0, bystander.prefix(), CHUNK);
            // Twice in one step, in order: 20 to 7, then 7 to 0.
            model.plan.clear();
            model.plan.addMove(20, 7, solo.prefix());
            model.plan.addMove(7, 0, solo.prefix());
            model.plan.addDecodeRow(solo.text()[solo.prefix()], solo.prefix());
            assertThat(TinyModel.row(model.runner.run(model.plan), 0)).isEqualTo(solo.afterToken()[0]);
            for (int step = 1; step < STEPS; step++) {
                assertThat(model.decodeAlone(solo.text()[solo.prefix() + step], solo.prefix() + step))
                        .isEqualTo(solo.afterToken()[step]);
            }
            assertSame(continueAt(model, 2, bystander), bystander);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void howAPromptIsCutIntoChunksOfTwoOrMoreDoesNotChangeABit(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            for (int round = 0; round < 10; round++) {
                int end = 40 + random.nextInt(80);
                int[] text = random.ints(end, 0, model.vocabularySize()).toArray();
                float[] whole = model.prefill(0, text, 0, end, end);
                float[] cut = new float[0];
                for (int at = 0; at < end; ) {
                    int length = 2 + random.nextInt(40);
                    length = end - at - length < 2 ? end - at : length;
                    cut = model.prefill(1, text, at, at + length, length);
                    at += length;
                }
                assertThat(cut).isEqualTo(whole);
                assertThat(model.runner.cache().bytes(1, end))
                        .isEqualTo(model.runner.cache().bytes(0, end));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aModelThatSaysSoDecodesToTheBitsOfAPrefill(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            if (!model.runner.shape().prefixPool().decodesLikePrefill()) {
                return;
            }
            assertThat(name).as("the only one with an eight-bit cache").isEqualTo("tiny-int8-kv8");
            int[] text = random.ints(100, 0, model.vocabularySize()).toArray();
            float[] prefilled = model.prefill(1, text, 0, 100, 100);
            float[] decoded = new float[0];
            for (int position = 0; position < 100; position++) {
                decoded = model.decodeAlone(text[position], position);
            }
            assertThat(decoded).isEqualTo(prefilled);
            assertThat(model.runner.cache().bytes(0, 100))
                    .isEqualTo(model.runner.cache().bytes(1, 100));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aSequenceWhoseBlocksWereSavedAndLoadedGoesOnBitIdentically(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            int block = model.runner.shape().prefixPool().blockTokens();
            Solo solo = solo(model, 3 * block + 5);
            Solo bystander = solo(model);
            model.runner.cache().fill(POISON);
            model.prefill(6, solo.text(), 0, solo.prefix(), CHUNK);
            model.prefill(8, bystander.text(), 0, bystander.prefix(), CHUNK);
            // In one step, in order: out of slot 6, another's text over it, into slot 9, and on from there.
            model.plan.clear();
            for (int i = 0; i < 3; i++) {
                model.plan.addSave(6, i * block, 10 - i);
                model.plan.addLoad(10 - i, 9, i * block);
            }
            model.plan.addMove(8, 6, bystander.prefix());
            model.plan.addChunk(new PrefillChunk(9, solo.text(), 3 * block, 5, true));
            float[] after = TinyModel.row(model.runner.run(model.plan), TinyModel.SLOTS);
            assertThat(after).isEqualTo(solo.afterPrefix());
            assertSame(continueAt(model, 9, solo), solo);
            assertSame(continueAt(model, 6, bystander), bystander);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aSlotForgetsWhoHeldItBefore(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            Solo first = solo(model, 100);
            Solo second = solo(model, 3);
            model.prefill(6, first.text(), 0, first.prefix(), CHUNK);
            model.prefill(6, second.text(), 0, second.prefix(), CHUNK);
            assertSame(continueAt(model, 6, second), second);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void aSlotHoldsATextOfTheFullContext(String name) {
        try (TinyModel model = TinyModel.open(name, 2)) {
            int full = model.runner.shape().maxTokens();
            Solo solo = solo(model, full - STEPS);
            model.runner.cache().fill(POISON);
            model.prefill(TinyModel.SLOTS - 1, solo.text(), 0, solo.prefix(), full);
            model.prefill(TinyModel.SLOTS - 1, solo.text(), 0, solo.prefix(), CHUNK);
            assertSame(continueAt(model, TinyModel.SLOTS - 1, solo), solo);
        }
    }

    /** Decodes the rest of the text where it lies: a chunk of one token can be computed in any slot. */
    private static float[][] continueAt(TinyModel model, int slot, Solo solo) {
        float[][] afterToken = new float[STEPS][];
        for (int step = 0; step < STEPS; step++) {
            int position = solo.prefix() + step;
            afterToken[step] = model.prefill(slot, solo.text(), position, position + 1, 1);
        }
        return afterToken;
    }

    private static void assertSame(float[][] actual, Solo solo) {
        for (int step = 0; step < STEPS; step++) {
            assertThat(actual[step]).as("step " + step).isEqualTo(solo.afterToken()[step]);
        }
    }
}
