package dev.weir.train;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.EngineListener;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.SamplingParams;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.RunnerOptions;
import dev.weir.tokenizer.ChatTemplate;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * How often a model that is served answers exercises word for word; one that is too long for its context counts as wrong.
 * Immutable; any thread.
 *
 * @param skills results by skill, in alphabetical order
 */
record ChatScore(SortedMap<String, Skill> skills) {
    private static final int LONGEST_ANSWER = 64;
    private static final int KEPT_MISTAKES = 3;

    /** An exercise and what the model said. */
    record Given(ChatExercise exercise, String answer) {
        boolean isRight() {
            return exercise.isRight(answer);
        }
    }

    /**
     * One skill's results.
     *
     * @param mistakes some of them
     */
    record Skill(int exercises, int right, List<Given> mistakes) {
        double share() {
            return (double) right / exercises;
        }
    }

    /**
     * Asks a model everything, as its server would: its chat template, its engine, greedy decoding.
     *
     * @param parallel most exercises at once
     * @param threads that calculate; 0 for all cores
     * @throws UserError if the model has no chat template, or it refuses an exercise
     */
    static ChatScore of(Path model, List<ChatExercise> exercises, int parallel, int threads, LongConsumer progress)
            throws IOException {
        Tokenizer tokenizer = Tokenizer.load(model);
        ChatTemplate template = ChatTemplate.load(model)
                .orElseThrow(() -> new UserError("--chat needs a chat template, which " + model
                        + " does not have: export it with --chat-template, or leave out --chat"));
        OnnxModelRunner runner =
                OnnxModelRunner.open(ModelFolder.open(model), new RunnerOptions(parallel, 0, 0, threads));
        try (Engine engine = Engine.start(runner, EngineConfig.DEFAULT, EngineListener.NONE)) {
            int context = engine.shape().maxTokens();
            AtomicLong done = new AtomicLong();
            List<Given> given = Flux.fromIterable(exercises)
                    .flatMap(
                            exercise -> {
                                int[] prompt = prompt(exercise, template, tokenizer);
                                Mono<Given> answer = prompt.length >= context
                                        ? Mono.just(new Given(exercise, ""))
                                        : answer(engine, prompt, tokenizer).map(text -> new Given(exercise, text));
                                return answer.doOnNext(_ -> progress.accept(done.incrementAndGet()));
                            },
                            parallel)
                    .collectList()
                    .blockOptional()
                    .orElseThrow();
            return of(given);
        }
    }

    /** The results for a model's card, after the command that gave them. */
    String markdown(String command) {
        StringBuilder text = new StringBuilder("```\n" + command + "\n```\n\n");
        text.append(String.format(
                Locale.ROOT,
                "Answers that are right word for word, by the likeliest tokens: %.1f %% of all.%n%n",
                100 * share()));
        text.append("| skill | exercises | exact match |\n|---|---|---|\n");
        skills.forEach((name, skill) -> text.append(
                String.format(Locale.ROOT, "| %s | %,d | %.1f %% |%n", name, skill.exercises(), 100 * skill.share())));
        return text.toString();
    }

    private static int[] prompt(ChatExercise exercise, ChatTemplate template, Tokenizer tokenizer) {
        ChatConversation asked = exercise.conversation();
        try {
            return tokenizer.encode(template.render(asked.messages(), asked.tools(), true));
        } catch (IllegalArgumentException e) {
            throw new UserError("--chat, line " + asked.line() + ": " + e.getMessage(), e);
        }
    }

    private static Mono<String> answer(Engine engine, int[] prompt, Tokenizer tokenizer) {
        return engine.generate(new GenerationRequest("exercise", prompt, SamplingParams.greedy(LONGEST_ANSWER)))
                .flatMapIterable(
                        output -> Arrays.stream(output.tokenIds()).boxed().toList())
                .collectList()
                .map(ids -> tokenizer.decode(
                        ids.stream().mapToInt(Integer::intValue).toArray()));
    }

    /** The results of what was answered. */
    static ChatScore of(List<Given> given) {
        SortedMap<String, List<Given>> bySkill = new TreeMap<>();
        given.forEach(one -> bySkill.computeIfAbsent(one.exercise().skill(), _ -> new ArrayList<>())
                .add(one));
        SortedMap<String, Skill> skills = new TreeMap<>();
        bySkill.forEach((skill, all) -> {
            List<Given> wrong = all.stream()
                    .filter(one -> !one.isRight())
                    .sorted(Comparator.comparingInt(
                            one -> one.exercise().conversation().line()))
                    .toList();
            skills.put(
                    skill,
                    new Skill(
                            all.size(),
                            all.size() - wrong.size(),
                            wrong.subList(0, Math.min(KEPT_MISTAKES, wrong.size()))));
        });
        return new ChatScore(skills);
    }

    /** Share of all exercises that were answered right. */
    double share() {
        double right = skills.values().stream().mapToInt(Skill::right).sum();
        return right / skills.values().stream().mapToInt(Skill::exercises).sum();
    }
}
