package dev.weir.train;

import dev.weir.onnx.HeadRunner;
import dev.weir.onnx.ModelFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** An exported model with the head of a task, one sequence after the other. Used by one thread. */
final class OnnxTaskModel implements HeadedModel, AutoCloseable {
    private final TaskHead head;
    private final HeadRunner runner;

    private OnnxTaskModel(TaskHead head, HeadRunner runner) {
        this.head = head;
        this.runner = runner;
    }

    /**
     * Loads an exported model.
     *
     * @param head what its {@code config.json} says of its head
     * @param maxTokens of a sequence; 0 for the context
     * @param threads that calculate; 0 for all cores
     * @throws UserError if the graph has another head
     */
    static OnnxTaskModel open(Path folder, TaskHead head, int maxTokens, int threads) {
        HeadRunner runner = HeadRunner.open(ModelFolder.open(folder), GptGraph.CLASS_LOGITS, maxTokens, threads);
        if (runner.outputs() != head.outputs()) {
            int outputs = runner.outputs();
            runner.close();
            throw new UserError(
                    folder.resolve(GptConfigFile.NAME) + " describes a head of " + head.outputs() + " outputs, but "
                            + GptGraph.CLASS_LOGITS + " has " + outputs + ": take both from the same export");
        }
        return new OnnxTaskModel(head, runner);
    }

    @Override
    public TaskHead head() {
        return head;
    }

    @Override
    public List<float[]> outputs(List<TaskExample> examples) {
        List<float[]> outputs = new ArrayList<>();
        for (TaskExample example : examples) {
            int[][] sequences = example.sequences();
            outputs.add(
                    switch (head.task()) {
                        case CLASSIFICATION, REGRESSION, ENTAILMENT -> runner.run(sequences[0]);
                        case SIMILARITY -> new float[] {runner.run(sequences[0])[0] + runner.run(sequences[1])[0]};
                        case MULTIPLE_CHOICE -> {
                            float[] scores = new float[sequences.length];
                            for (int choice = 0; choice < scores.length; choice++) {
                                scores[choice] = runner.run(sequences[choice])[0];
                            }
                            yield scores;
                        }
                    });
        }
        return outputs;
    }

    @Override
    public void close() {
        runner.close();
    }
}
