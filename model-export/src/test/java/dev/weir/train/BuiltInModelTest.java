package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The model that the server has by default. */
class BuiltInModelTest {
    private static final Path MODEL = Path.of("..", "server", "models", "weir-mini");
    private static final int EXERCISES = 24;
    private static final List<String> SKILLS =
            List.of("copy", "sentence-kind", "sentiment", "tense", "tool-result", "urgent");

    @TempDir
    Path folder;

    /** Of exercises that the repository makes again, which are not all that the card counts, on any processor. */
    @Test
    void itDoesOnHeldOutExercisesWhatItsCardSays() throws IOException {
        Path heldOut = folder.resolve("held-out.jsonl");
        String text = folder.resolve("corpus.txt").toString();
        int exit = TrainMain.run("corpus", "--tokens", "50K", "--out", text, "--held-out", heldOut.toString());
        assertThat(exit).isZero();
        Map<String, List<ChatExercise>> bySkill =
                ChatExercise.read(heldOut).stream().collect(Collectors.groupingBy(ChatExercise::skill));
        List<ChatExercise> exercises = new ArrayList<>();
        for (String skill : SKILLS) {
            exercises.addAll(bySkill.get(skill).subList(0, EXERCISES));
        }
        ChatScore score = ChatScore.of(MODEL, exercises, 32, 0, _ -> {});
        String card = Files.readString(MODEL.resolve("README.md"));
        for (String skill : SKILLS) {
            MatchResult row = Pattern.compile("\\| " + skill + " \\| [\\d,]+ \\| ([\\d.]+) % \\|")
                    .matcher(card)
                    .results()
                    .findFirst()
                    .orElseThrow();
            assertThat(100 * score.skills().get(skill).share())
                    .as(skill)
                    .isCloseTo(Double.parseDouble(row.group(1)), within(25.0));
        }
        assertThat(score.share()).isGreaterThan(0.5);
    }
}
