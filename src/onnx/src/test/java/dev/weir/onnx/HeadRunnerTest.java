package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadRunnerTest {
    /** An output that the checked-in models have, and that another runner computes too. */
    private static final String OUTPUT = "logits";

    @ParameterizedTest
    @ValueSource(strings = {"tiny-fp32", "tiny-int8", "tiny-int4", "tiny-int8-kv8"})
    void eachSequenceIsComputedAsIfItWereTheFirst(String name) {
        Random random = new Random(3);
        try (TinyModel model = TinyModel.open(name, 1);
                HeadRunner head = HeadRunner.open(ModelFolder.open(TinyModel.folder(name)), OUTPUT, 0, 1)) {
            assertThat(head.outputs()).isEqualTo(model.vocabularySize());
            for (int length : new int[] {20, 128, 1, 7}) {
                int[] text = random.ints(length, 0, model.vocabularySize()).toArray();

                assertThat(head.run(text)).isEqualTo(model.prefill(0, text, 0, length, length));
            }
        }
    }

    @Test
    void whatCannotBeComputedIsNamed() {
        ModelFolder folder = ModelFolder.open(TinyModel.folder("tiny-fp32"));
        assertThatThrownBy(() -> HeadRunner.open(folder, "class_logits", 0, 1))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("has no output \"class_logits\"");
        assertThatThrownBy(() -> HeadRunner.open(folder, "present.0.key", 0, 1))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("must have elements of type FLOAT and the dimensions");
        try (HeadRunner head = HeadRunner.open(folder, OUTPUT, 4, 1)) {
            assertThatThrownBy(() -> head.run(new int[5])).hasMessageContaining("give from 1 to 4");
            assertThatThrownBy(() -> head.run(new int[0])).hasMessageContaining("0 tokens");
            assertThat(head.run(new int[4])).hasSize(300);
        }
    }
}
