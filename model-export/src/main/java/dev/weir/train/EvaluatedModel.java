package dev.weir.train;

import dev.weir.onnx.ModelFolder;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A model to evaluate, with all that makes text of its numbers. Used by one thread.
 *
 * @param kind what it is and what calculates, in words
 */
record EvaluatedModel(Path folder, String kind, Scorer scorer, Tokenizer tokenizer, Direction direction)
        implements AutoCloseable {
    /**
     * Opens an exported model, which runs as it is served, or else a checkpoint, which libtorch runs.
     *
     * @param parallel most windows that advance at once
     * @param threads that calculate; 0 for all cores
     * @throws UserError if the folder holds neither
     */
    static EvaluatedModel open(Path folder, int parallel, int threads) throws IOException {
        boolean exported = Files.isRegularFile(folder.resolve(ModelFolder.CONFIG_FILE));
        if (!exported && !Files.isRegularFile(folder.resolve(Checkpoint.WEIGHTS))) {
            throw new UserError("--model is " + folder + ", which has neither " + ModelFolder.CONFIG_FILE + " nor "
                    + Checkpoint.WEIGHTS
                    + ": give a folder that export, import or pretrain wrote, such as runs/NAME/best");
        }
        Tokenizer tokenizer = Tokenizer.load(folder);
        Scorer scorer = exported
                ? OnnxScorer.open(folder, parallel, threads)
                : new LibtorchScorer(Checkpoint.open(folder), parallel, threads);
        if (tokenizer.vocabularySize() > scorer.vocabularySize()) {
            int tokens = scorer.vocabularySize();
            scorer.close();
            throw new UserError(folder.resolve("tokenizer.json") + " has " + tokenizer.vocabularySize()
                    + " tokens but the model only " + tokens + ": they are not from the same training");
        }
        return new EvaluatedModel(
                folder,
                exported ? "exported model in ONNX Runtime" : "checkpoint in libtorch",
                scorer,
                tokenizer,
                GptConfigFile.direction(folder));
    }

    @Override
    public void close() {
        scorer.close();
    }
}
