package dev.weir.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class PromptLookupTest {
    private static final int CONTEXT = 400;
    private static final EngineConfig PLAIN = new EngineConfig(16, 100_000, 32, 8, 4);

    private static List<Integer> proposed(PromptLookup lookup, int most, int... text) {
        int[] tokens = Arrays.copyOf(text, text.length + 20);
        int count = lookup.propose(tokens, text.length, most);
        return Arrays.stream(tokens, text.length, text.length + count).boxed().toList();
    }

    @Test
    void whatFollowedTheSameThreeTokensIsGuessed() {
        assertThat(proposed(new PromptLookup(), 7, 1, 2, 3, 4, 5, 6, 1, 2, 3)).containsExactly(4, 5, 6);
        assertThat(proposed(new PromptLookup(), 2, 1, 2, 3, 4, 5, 6, 1, 2, 3)).containsExactly(4, 5);
        assertThat(proposed(new PromptLookup(), 7, 1, 2, 9, 4, 5, 6, 1, 2, 3)).isEmpty();
        assertThat(proposed(new PromptLookup(), 7, 1, 2)).isEmpty();
    }

    @Test
    void theLongestMatchCountsAndOfEqualsTheLatest() {
        assertThat(proposed(new PromptLookup(), 1, 0, 1, 2, 3, 7, 1, 2, 3, 8, 0, 1, 2, 3))
                .containsExactly(7);
        assertThat(proposed(new PromptLookup(), 1, 5, 1, 2, 3, 7, 6, 1, 2, 3, 8, 0, 1, 2, 3))
                .containsExactly(8);
    }

    @Test
    void aTextThatRepeatsItselfGoesOnIntoItsOwnGuesses() {
        assertThat(proposed(new PromptLookup(), 7, 4, 4, 4, 4)).containsExactly(4, 4, 4);
        assertThat(proposed(new PromptLookup(), 7, 1, 2, 1, 2, 1)).containsExactly(2, 1, 2);
    }

    @Test
    void guessesGrowWhileTheyHoldAndRestLongerEachTimeThatNoneDid() {
        int[] text = {4, 4, 4, 4};
        PromptLookup lookup = new PromptLookup();
        lookup.judged(3, 3);
        assertThat(proposed(lookup, 15, text)).hasSize(6);
        lookup.judged(6, 6);
        assertThat(proposed(lookup, 15, text)).hasSize(12);
        lookup.judged(12, 2);
        assertThat(proposed(lookup, 15, text)).hasSize(2);
        for (int rest = 1; rest <= 8; rest *= 2) {
            lookup.judged(2, 0);
            for (int i = 0; i < rest; i++) {
                assertThat(proposed(lookup, 15, text)).as("rest of %d", rest).isEmpty();
            }
            assertThat(proposed(lookup, 15, text)).hasSize(3);
        }
    }

    /** Texts of few tokens, in which nearly everything came before. */
    private static GenerationRequest request(SplittableRandom random, int number) {
        int[] prompt = random.ints(25, 0, FakeModelRunner.VOCABULARY).toArray();
        SamplingParams.Builder sampling = SamplingParams.builder(1 + random.nextInt(120))
                .temperature(number % 2 == 0 ? 0 : 0.3f)
                .seed(random.nextLong())
                .ignoreEos(number % 3 > 0);
        if (number % 5 == 0) {
            sampling.frequencyPenalty(0.4f).logprobs(2);
        }
        return new GenerationRequest("r" + number, prompt, sampling.build());
    }

    private static FakeModelRunner repeating(int draftTokens) {
        FakeModelRunner model = new FakeModelRunner(3, CONTEXT, new PrefixPool(20, 4, true), draftTokens);
        model.period = 20;
        return model;
    }

    private static Mono<List<StepOutput>> answer(Engine engine, GenerationRequest request) {
        return engine.generate(request).collectList();
    }

    private static List<Integer> tokens(List<StepOutput> outputs) {
        return outputs.stream()
                .flatMap(output -> Arrays.stream(output.tokenIds()).boxed())
                .toList();
    }

    private static List<TokenLogprobs> logprobs(List<StepOutput> outputs) {
        return outputs.stream().flatMap(output -> output.logprobs().stream()).toList();
    }

    /** Up to three at a time, so that guesses stop and go on. */
    @Test
    void answersAreTheSameWithGuessesAndWithout() {
        SplittableRandom random = new SplittableRandom(11);
        AtomicInteger drafted = new AtomicInteger();
        AtomicInteger accepted = new AtomicInteger();
        EngineListener listener = new EngineListener() {
            @Override
            public void stepped(StepStats stats) {
                drafted.addAndGet(stats.draftedTokens());
                accepted.addAndGet(stats.acceptedTokens());
            }
        };
        int shorter = 0;
        try (Engine plain = Engine.start(repeating(0), PLAIN, EngineListener.NONE);
                Engine drafting = Engine.start(repeating(15), PLAIN.withDraftTokens(7), listener)) {
            for (int turn = 0; turn < 200; turn++) {
                List<GenerationRequest> requests = new ArrayList<>();
                for (int i = 0; i <= turn % 3; i++) {
                    requests.add(request(random, requests.size() + 7 * turn));
                }
                List<List<StepOutput>> answers = Flux.merge(requests.stream()
                                .map(request ->
                                        answer(drafting, request).map(outputs -> Map.entry(request.id(), outputs)))
                                .toList())
                        .collectMap(Map.Entry::getKey, Map.Entry::getValue)
                        .map(all -> requests.stream()
                                .map(request -> all.get(request.id()))
                                .toList())
                        .block();
                for (int i = 0; i < requests.size(); i++) {
                    List<StepOutput> expected = answer(plain, requests.get(i)).block();
                    List<StepOutput> actual = answers.get(i);
                    assertThat(tokens(actual)).as("%s", requests.get(i)).isEqualTo(tokens(expected));
                    assertThat(logprobs(actual))
                            .usingRecursiveFieldByFieldElementComparator()
                            .isEqualTo(logprobs(expected));
                    assertThat(actual.getLast().finishReason())
                            .isEqualTo(expected.getLast().finishReason());
                    shorter += actual.size() < expected.size() ? 1 : 0;
                }
            }
        }
        assertThat(shorter).isGreaterThan(100);
        assertThat(accepted.get()).isPositive().isLessThan(drafted.get());
    }
}
