package dev.weir.train;

import dev.weir.onnx.ModelFolder;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A model to evaluate, with all that makes text of its numbers. Used by one thread.
 *
 * @param kind what it is and what calculates, in words
 * @param head that of a fine-tuned model
 */
record EvaluatedModel(
        Path folder, String kind, Scorer scorer, Tokenizer tokenizer, Direction direction, Optional<TaskHead> head)
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
        Optional<TaskHead> head;
        Scorer scorer;
        if (exported) {
            head = GptConfigFile.exportedHead(folder);
            scorer = OnnxScorer.open(folder, parallel, threads);
        } else {
            Checkpoint checkpoint = Checkpoint.open(folder);
            head = checkpoint.head();
            scorer = new LibtorchScorer(checkpoint, parallel, threads);
        }
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
                GptConfigFile.direction(folder),
                head);
    }

    /**
     * How well the head does on examples.
     *
     * @param threads that calculate; 0 for all cores
     */
    HeadScore score(TaskHead tuned, List<TaskExample> examples, int threads) {
        if (scorer instanceof LibtorchScorer libtorch) {
            return HeadScore.of(new TaskModel(libtorch.model()), examples);
        }
        int longest = examples.stream()
                .flatMap(example -> Stream.of(example.sequences()))
                .mapToInt(sequence -> sequence.length)
                .max()
                .orElseThrow();
        try (OnnxTaskModel model = OnnxTaskModel.open(folder, tuned, longest, threads)) {
            return HeadScore.of(model, examples);
        }
    }

    @Override
    public void close() {
        scorer.close();
    }
}
