package dev.weir.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CardSectionTest {
    @TempDir
    Path model;

    private String after(String card, String heading, String text) throws IOException {
        Files.writeString(model.resolve("README.md"), card);
        CardSection.write(model, heading, text);
        return Files.readString(model.resolve("README.md"));
    }

    @Test
    void aSectionIsAddedOnceAndThenReplaced() throws IOException {
        String card = "# mini\n\ntext\n\n## Training\n\nmuch\n";
        String once = after(card, "Exercises", "70 %\n");
        assertThat(once).isEqualTo(card + "\n## Exercises\n\n70 %\n");
        assertThat(after(once, "Exercises", "80 %\n")).isEqualTo(card + "\n## Exercises\n\n80 %\n");
    }

    @Test
    void sectionsAroundItStay() throws IOException {
        assertThat(after("# mini\n\n## Exercises\n\nold\n\n## Licence\n\nfree\n", "Exercises", "new\n"))
                .isEqualTo("# mini\n\n## Licence\n\nfree\n\n## Exercises\n\nnew\n");
    }

    @Test
    void aModelWithoutACardGetsOne() throws IOException {
        CardSection.write(model, "Exercises", "new\n");
        assertThat(model.resolve("README.md")).hasContent("## Exercises\n\nnew\n");
    }
}
