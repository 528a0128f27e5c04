package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class PlacesTest {
    @Test
    void requestsAndWaitingTokensAreBothBounded() {
        Places places = new Places(3, 100);
        Places.Place first = Objects.requireNonNull(places.take("a", 60, 60));
        assertThat(places.take("a", 41, 41)).as("101 tokens").isNull();
        Places.Place second = Objects.requireNonNull(places.take("a", 40, 40));
        first.admitted();
        assertThat(places.take("a", 60, 60)).isNotNull();
        assertThat(places.take("a", 0, 0)).as("a fourth request").isNull();
        second.ended();
        assertThat(places.take("a", 40, 40)).isNotNull();
    }

    @Test
    void aPromptLongerThanTheBoundWaitsAlone() {
        Places places = new Places(10, 100);
        Places.Place giant = Objects.requireNonNull(places.take("a", 500, 500));
        assertThat(places.take("a", 1, 1)).isNull();
        giant.admitted();
        assertThat(places.take("a", 1, 1)).isNotNull();
    }

    @Test
    void aTenantThatHasFilledTheRoomDoesNotKeepAnotherOut() {
        Places places = new Places(32, 1_000);
        for (int i = 0; i < 32; i++) {
            assertThat(places.take("flood", 31, 31)).isNotNull();
        }
        assertThat(places.take("flood", 1, 1)).isNull();
        for (int i = 0; i < 6; i++) {
            assertThat(places.take("other", 10, 10)).as("of a quarter").isNotNull();
        }
        assertThat(places.take("another", 10, 10)).isNotNull();
        assertThat(places.take("other", 10, 10))
                .as("more than half of a quarter")
                .isNull();
        assertThat(places.take("another", 10, 10)).isNotNull();
        assertThat(places.take("one-more", 10, 10))
                .as("more than a quarter over")
                .isNull();
    }

    @Test
    void whatNobodyReadsTakesNoneOfTheRoomAndComesBackHoweverFullThatIs() {
        Places places = new Places(3, 100);
        List<Places.Place> taken = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            taken.add(Objects.requireNonNull(places.take("a", 30, 30)));
        }
        taken.forEach(place -> place.setAway(true));
        assertThat(places.requests()).isZero();
        assertThat(places.waitingTokens()).isZero();
        for (int i = 0; i < 3; i++) {
            taken.add(Objects.requireNonNull(places.take("a", 30, 30)));
        }
        taken.getLast().setAway(true);
        assertThat(places.take("a", 1, 1))
                .as("as many are away already as there is room")
                .isNull();
        taken.getFirst().setAway(false);
        assertThat(places.requests()).isEqualTo(4);
        assertThat(places.waitingTokens()).isEqualTo(120);
        taken.forEach(Places.Place::ended);
        assertThat(places.requests()).isZero();
        assertThat(places.waitingTokens()).isZero();
        assertThat(places.take("a", 30, 30)).isNotNull();
    }

    @Test
    void whatIsTakenIsGivenBackOnceHoweverAPlaceEnds() {
        Places places = new Places(50, 1_000);
        SplittableRandom random = new SplittableRandom(5);
        List<Places.Place> taken = new ArrayList<>();
        Set<Places.Place> away = new HashSet<>();
        Map<Places.Place, Integer> promises = new HashMap<>();
        for (int i = 0; i < 5_000; i++) {
            if (random.nextBoolean()) {
                int promised = random.nextInt(100, 200);
                Places.Place place = places.take("a", random.nextInt(100), promised);
                if (place != null) {
                    taken.add(place);
                    promises.put(place, promised);
                }
            } else if (!taken.isEmpty()) {
                Places.Place place = taken.get(random.nextInt(taken.size()));
                int what = random.nextInt(4);
                if (what == 0) {
                    place.admitted();
                } else if (what == 1) {
                    boolean isAway = !away.remove(place);
                    place.setAway(isAway);
                    if (isAway) {
                        away.add(place);
                    }
                } else {
                    away.remove(place);
                    place.ended();
                    place.ended();
                    taken.remove(place);
                    promises.remove(place);
                }
            }
            assertThat(places.requests()).isNotNegative().isEqualTo(taken.size() - away.size());
            assertThat(places.waitingTokens()).isNotNegative();
            assertThat(places.promisedTokens())
                    .isEqualTo(promises.values().stream()
                            .mapToLong(promised -> promised)
                            .sum());
        }
        taken.forEach(Places.Place::ended);
        assertThat(places.requests()).isZero();
        assertThat(places.waitingTokens()).isZero();
        assertThat(places.promisedTokens()).isZero();
    }
}
