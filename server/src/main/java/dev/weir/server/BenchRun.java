package dev.weir.server;

import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.PagedModelRunner;
import dev.weir.onnx.Peer;
import dev.weir.onnx.TokenTimes;
import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Measures the bare loop, the engine and the peers on one load after another. They take turns, so that what else the machine
 * does falls on all of them. Used by one thread.
 *
 * @param peers with what each has its weights in
 * @param turns how often each is measured, after a time to warm up
 */
record BenchRun(
        ModelFolder folder, DeviceOptions device, Map<Peer, Path> peers, int turns, int threads, int prefillChunk) {
    static final String BARE = "bare loop";
    static final String ENGINE = "engine";
    static final String WITHOUT_GRAPHS = "without graphs";

    private interface Generation {
        TokenTimes run(List<Peer.Prompt> prompts, int newTokens);
    }

    /** Somebody who is measured, turn by turn. */
    private static final class Contender {
        private final String name;
        private final Generation generation;
        private final Supplier<Optional<Peer.Traffic>> latest;
        private final List<TokenTimes> turns = new ArrayList<>();
        private Optional<Peer.Traffic> traffic = Optional.empty();

        Contender(String name, Generation generation, Supplier<Optional<Peer.Traffic>> latest) {
            this.name = name;
            this.generation = generation;
            this.latest = latest;
        }

        void warmUp(List<Peer.Prompt> prompts, int newTokens) {
            generation.run(prompts, newTokens);
        }

        void turn(List<Peer.Prompt> prompts, int newTokens) {
            turns.add(generation.run(prompts, newTokens));
            traffic = latest.get();
        }

        BenchRow row() {
            return new BenchRow(name, List.copyOf(turns), traffic);
        }
    }

    /**
     * Measures one load.
     *
     * @throws IOException if the tokenizer cannot be read
     */
    BenchResult measure(BenchLoad load) throws IOException {
        List<Peer.Session> sessions = new ArrayList<>();
        try (BenchModel model = BenchModel.open(folder, device, load, threads, prefillChunk)) {
            List<Peer.Prompt> prompts = peers.isEmpty()
                    ? BenchPrompts.random(model.vocabularySize(), load)
                    : BenchPrompts.words(Tokenizer.load(folder.path()), load);
            List<Contender> contenders = new ArrayList<>();
            contenders.add(new Contender(BARE, model::runBare, model::traffic));
            contenders.add(new Contender(ENGINE, model::runEngine, model::traffic));
            Peer.Size size = new Peer.Size(load.sequences(), load.maxTokens(), model.threads(), device.gpu());
            for (Map.Entry<Peer, Path> peer : peers.entrySet()) {
                Peer.Session session = peer.getKey().load(peer.getValue(), size);
                sessions.add(session);
                contenders.add(new Contender(peer.getKey().name(), session::run, session::traffic));
            }
            Optional<PagedModelRunner> gpu = model.gpu();
            if (gpu.isPresent() && device.cuda().graphs()) {
                contenders.add(new Contender(
                        WITHOUT_GRAPHS,
                        (some, count) -> {
                            gpu.get().replay(false);
                            try {
                                return model.runBare(some, count);
                            } finally {
                                gpu.get().replay(true);
                            }
                        },
                        model::traffic));
            }
            List<BenchRow> rows = takeTurns(contenders, prompts, load.newTokens());
            return new BenchResult(
                    load, model.threads(), rows, gpu.map(runner -> BenchGpu.of(runner, load, rows.getFirst())));
        } finally {
            sessions.forEach(Peer.Session::close);
        }
    }

    private List<BenchRow> takeTurns(List<Contender> contenders, List<Peer.Prompt> prompts, int newTokens) {
        contenders.forEach(contender -> contender.warmUp(prompts, newTokens));
        for (int turn = 0; turn < turns; turn++) {
            contenders.forEach(contender -> contender.turn(prompts, newTokens));
        }
        return contenders.stream().map(Contender::row).toList();
    }
}
