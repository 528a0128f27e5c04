package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PrefillRoundTest {
    private final PrefillRound round = new PrefillRound();

    private static Sequence sequence(long admission) {
        FakeModelRunner model = new FakeModelRunner(1, 64);
        TokenSubscription nobody = new TokenSubscription(new RecordingSubscriber(), _ -> {});
        GenerationRequest request = new GenerationRequest("a", new int[] {1}, SamplingParams.greedy(1));
        Sequence sequence = new Sequence(request, nobody, model.shape(), 0, null);
        sequence.admitted(admission);
        return sequence;
    }

    @Test
    void theFirstChunkFitsAlwaysAndMoreWithinBudgetAndNumber() {
        assertThat(round.fits(500, 100, 3)).isTrue();
        round.add("a", 60, false);
        assertThat(round.fits(40, 100, 3)).isTrue();
        assertThat(round.fits(41, 100, 3)).isFalse();
        round.add("a", 10, false);
        assertThat(round.fits(1, 100, 2)).isFalse();
        round.restart();
        assertThat(round.fits(500, 100, 2)).isTrue();
    }

    @Test
    void aTenantsFirstChunkFitsAlwaysAndMoreWithinWhatOneTenantGets() {
        round.add("a", 60, false);
        assertThat(round.fitsTenant("a", 40, 100)).isTrue();
        assertThat(round.fitsTenant("a", 41, 100)).isFalse();
        assertThat(round.fitsTenant("b", 500, 100)).isTrue();
    }

    @Test
    void itHasThoseThatWereThereWhenItBegan() {
        round.begin(7);
        round.add("a", 8, true);
        round.begin(9);
        assertThat(round.had(sequence(7))).isTrue();
        assertThat(round.had(sequence(8))).isFalse();
        assertThat(round.pieceTokens()).isEqualTo(8);
        round.restart();
        round.begin(9);
        assertThat(round.had(sequence(8))).isTrue();
        assertThat(round.pieceTokens()).isZero();
    }
}
