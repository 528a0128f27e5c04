package dev.weir.corpus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class EnglishTest {
    @Test
    void articlesFollowTheSound() {
        assertThat(List.of("apple", "hour", "8", "11", "umbrella", "uncle").stream()
                        .map(English::article))
                .containsOnly("an");
        assertThat(List.of("cat", "unicorn", "one", "European", "house", "1", "ukulele", "80 km").stream()
                        .limit(7)
                        .map(English::article))
                .containsOnly("a");
    }

    @Test
    void regularFormsAreSpelledRightly() {
        assertThat(List.of("box", "city", "day", "brush", "bag of apples").stream()
                        .map(English::plural))
                .containsExactly("boxes", "cities", "days", "brushes", "bags of apples");
        assertThat(List.of("hop", "hope", "play", "carry", "wait", "box").stream()
                        .map(English::past))
                .containsExactly("hopped", "hoped", "played", "carried", "waited", "boxed");
        assertThat(List.of("run", "bake", "lie", "see", "paint walls").stream().map(English::ing))
                .containsExactly("running", "baking", "lying", "seeing", "painting walls");
        assertThat(List.of("go", "wash", "fly", "play chess").stream().map(English::third))
                .containsExactly("goes", "washes", "flies", "plays chess");
        assertThat(List.of("big", "nice", "happy", "cold").stream().map(word -> English.compared(word, "er")))
                .containsExactly("bigger", "nicer", "happier", "colder");
    }

    @Test
    void numbersAreWrittenInWords() {
        assertThat(List.of(0, 13, 40, 99, 100, 215).stream().map(English::number))
                .containsExactly("zero", "thirteen", "forty", "ninety-nine", "one hundred", "two hundred and fifteen");
    }

    @Test
    void anUnknownFormIsNamed() {
        assertThatThrownBy(() -> new Text("cat").form("purple"))
                .hasMessageContaining("\"cat\"")
                .hasMessageContaining(".purple");
    }

    @Test
    void templatesAreReadWithTheirSlotsAndChoices() {
        assertThat(Template.parse("[a|b[c|d]] {x@y.z}").variants()).isEqualTo(3);
        assertThat(Template.parse("{x@y.z}").parts()).containsExactly(new Template.Slot("x", "y", "z"));
        assertThatThrownBy(() -> Template.parse("[a|b")).hasMessageContaining("not closed");
        assertThatThrownBy(() -> Template.parse("a]")).hasMessageContaining("not opened");
        assertThatThrownBy(() -> Template.parse("{a")).hasMessageContaining("not closed");
    }
}
