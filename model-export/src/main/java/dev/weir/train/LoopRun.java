package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A run of the language-model loop, as its user sees it: from the settings in effect to the line that says it is done. Owned by
 * the main thread.
 *
 * @param plain text on which forgetting is measured
 * @param logEvery steps between two lines of progress
 */
record LoopRun(
        PretrainConfig config,
        BlockSource blocks,
        @Nullable PlainText plain,
        Tokenizer tokenizer,
        TrainingCard card,
        SamplePlan samples,
        PrintStream console,
        int logEvery) {
    /** The exit code after Ctrl-C. */
    private static final int STOPPED = 130;

    /** Weights to begin with, read or drawn when they are needed. */
    interface Beginning {
        GptWeights weights() throws IOException;
    }

    /**
     * Trains to the end, or until it is asked to stop.
     *
     * @param folder where the run is kept
     * @param saved where it stood; null for a new run
     * @return the exit code
     */
    int run(Path folder, String dataSha256, TrainingState.@Nullable Saved saved, Beginning beginning, Peers peers)
            throws IOException {
        if (!peers.leads()) {
            return follow(saved, beginning, peers);
        }
        TrainingReport report = new TrainingReport(card, blocks, config);
        RunFolder run =
                new RunFolder(folder, config, tokenizer, dataSha256, report, samples.onTheWay(), console, logEvery);
        Pretrainer trainer;
        if (saved != null) {
            trainer = Pretrainer.resume(config, blocks, plain, saved, run, peers);
            run.rewind(saved.progress().step());
        } else {
            trainer = Pretrainer.start(config, blocks, plain, beginning.weights(), run, peers);
        }
        announce(trainer.progress());
        try (StopRequest stop = new StopRequest()) {
            if (!trainer.run(stop::isAsked)) {
                return STOPPED;
            }
        }
        writeSamples(run.samples(), RunFolder.best(folder));
        TrainingState.Progress progress = trainer.progress();
        run.writeCard(progress);
        run.writeReport(progress);
        console.printf(
                Locale.ROOT,
                "done: %d steps in %.0f s; best validation loss %.4f at step %d, in %s; curves in %s%n",
                progress.step(),
                progress.seconds(),
                progress.bestLoss(),
                progress.bestStep(),
                RunFolder.best(folder),
                RunFolder.report(folder));
        return 0;
    }

    /** Trains beside the process that keeps the run. */
    private int follow(TrainingState.@Nullable Saved saved, Beginning beginning, Peers peers) throws IOException {
        Pretrainer trainer = saved != null
                ? Pretrainer.resume(config, blocks, plain, saved, Pretrainer.Listener.NONE, peers)
                : Pretrainer.start(config, blocks, plain, beginning.weights(), Pretrainer.Listener.NONE, peers);
        try (StopRequest stop = new StopRequest()) {
            return trainer.run(stop::isAsked) ? 0 : STOPPED;
        }
    }

    private void announce(TrainingState.Progress progress) {
        card.settings().forEach((name, value) -> console.printf("%-18s %s%n", name, value));
        double trained = blocks.tokensPerStep(config) * config.steps();
        List<BlockSource.Part> parts = blocks.parts();
        if (parts.size() > 1) {
            for (BlockSource.Part part : parts) {
                console.printf(
                        Locale.ROOT,
                        "%s: %,d training and %,d held-out tokens, %.1f %% of the blocks, %.1f epochs%n",
                        part.name(),
                        part.trainingTokens(),
                        part.heldOutTokens(),
                        100 * part.share(),
                        part.share() * trained / part.trainingTokens());
            }
        }
        console.printf(
                Locale.ROOT,
                "%,d weights; %s; %,.0f tokens a step, %.1f epochs%n",
                config.model().parameters(),
                blocks.describe(),
                blocks.tokensPerStep(config),
                trained / blocks.trainingTokens());
        if (progress.step() > 0) {
            console.printf("resuming after step %d%n", progress.step());
        }
    }

    private void writeSamples(Path file, Path best) throws IOException {
        if (samples.count() == 0) {
            return;
        }
        TextSampler sampler = new TextSampler(new GptModel(GptParameters.frozen(Checkpoint.open(best))), tokenizer);
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < samples.count(); i++) {
            String sample = sampler.sample(
                    samples.prompt(), samples.tokens(), TextSampler.TEMPERATURE, TextSampler.TOP_P, samples.seed() + i);
            all.append("--- sample ").append(i + 1).append('\n').append(sample).append('\n');
        }
        console.print(all);
        AtomicFile.writeString(file, all.toString());
    }
}
