package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What an export is stored in where nobody says. */
class ExportChoiceTest {
    private static final GptConfig CONFIG = SmallGpts.GPT2;

    @TempDir
    Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void aModelThatLosesNextToNothingIsStoredInEightBits() throws IOException {
        assertThat(export(new NoisyGptWeights(CONFIG, 3))).as(err.toString()).isZero();

        assertThat(out.toString()).contains("int8 with int8 cache", "on text that the model wrote itself");
        assertThat(card()).contains("int8 weights with int8 cache change the loss of ");
        assertThat(percent(card())).hasSize(1).allMatch(rise -> rise <= 0.5);
    }

    /** Each token's activations share one scale: beside one that is so much larger, eight bits leave nothing of the others. */
    @Test
    void aModelThatEightBitsHarmIsStoredAsItIs() throws IOException {
        NoisyGptWeights plain = new NoisyGptWeights(CONFIG, 3);
        GptWeights harmed = GptWeights.of(CONFIG, name -> {
            float[] values = plain.tensor(name);
            if (name.matches(".*ln_[12]\\.weight")) {
                values[0] = 4000;
            } else if (name.matches(".*(c_attn|c_fc)\\.weight")) {
                Arrays.fill(values, 0, values.length / CONFIG.width(), 0.0001f); // the row of that activation
            }
            return values;
        });
        assertThat(export(harmed)).as(err.toString()).isZero();

        assertThat(out.toString()).contains("fp32 with fp32 cache");
        assertThat(percent(card())).hasSize(2).allMatch(rise -> rise > 0.5);
    }

    @Test
    void theTextThatIsGivenDecides() throws IOException {
        Path text =
                Files.writeString(folder.resolve("text"), "the cat sat on the mat and the dog sat too. ".repeat(60));
        assertThat(export(new NoisyGptWeights(CONFIG, 3), "--text", text.toString()))
                .as(err.toString())
                .isZero();
        assertThat(card()).contains("on the text given");
    }

    @Test
    void aTextIsRefusedWhereNothingIsMeasuredOnIt() throws IOException {
        Path text = Files.writeString(folder.resolve("text"), "cat");
        NoisyGptWeights weights = new NoisyGptWeights(CONFIG, 3);
        assertThat(export(weights, "--text", text.toString())).isEqualTo(2);
        assertThat(err.toString()).contains("--text", "3 tokens");
        assertThat(export(weights, "--text", text.toString(), "--kv", "int8")).isEqualTo(2);
        assertThat(err.toString()).contains("leave it out");
        assertThat(export(weights, "--text", folder.resolve("none").toString())).isEqualTo(2);
        assertThat(err.toString()).contains("no file");
    }

    private List<Double> percent(String card) {
        return card.lines()
                .filter(line -> line.contains("change the loss"))
                .map(line -> Double.valueOf(line.replaceAll(".* by ([-+0-9.]+) %", "$1")))
                .toList();
    }

    private String card() throws IOException {
        return Files.readString(folder.resolve("model/README.md"));
    }

    private int export(GptWeights weights, String... more) throws IOException {
        Path checkpoint = folder.resolve("checkpoint");
        if (!Files.exists(checkpoint)) {
            Checkpoint.write(checkpoint, weights, OptionalInt.of(269));
            Files.writeString(checkpoint.resolve("tokenizer.json"), RandomTokenizer.json(270));
            Files.writeString(checkpoint.resolve("tokenizer_config.json"), RandomTokenizer.config(48));
        }
        List<String> arguments = new ArrayList<>(List.of(
                "export",
                "--checkpoint",
                checkpoint.toString(),
                "--out",
                folder.resolve("model").toString()));
        arguments.addAll(List.of(more));
        return TrainMain.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.toArray(String[]::new));
    }
}
