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

    private record Contender(String name, Generation generation, List<TokenTimes> turns) {
        Contender(String name, Generation generation) {
            this(name, generation, new ArrayList<>());
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
            contenders.add(new Contender(BARE, model::runBare));
            contenders.add(new Contender(ENGINE, model::runEngine));
            Peer.Size size = new Peer.Size(load.sequences(), load.maxTokens(), model.threads());
            for (Map.Entry<Peer, Path> peer : peers.entrySet()) {
                Peer.Session session = peer.getKey().load(peer.getValue(), size);
                sessions.add(session);
                contenders.add(new Contender(peer.getKey().name(), session::run));
            }
            Optional<PagedModelRunner> gpu = model.gpu();
            if (gpu.isPresent() && device.cuda().graphs()) {
                contenders.add(new Contender(WITHOUT_GRAPHS, (some, count) -> {
                    gpu.get().replay(false);
                    try {
                        return model.runBare(some, count);
                    } finally {
                        gpu.get().replay(true);
                    }
                }));
            }
            List<BenchRow> rows = takeTurns(contenders, prompts, load.newTokens());
            return new BenchResult(
                    load, model.threads(), rows, gpu.map(runner -> BenchGpu.of(runner, load, rows.getFirst())));
        } finally {
            sessions.forEach(Peer.Session::close);
        }
    }

    private List<BenchRow> takeTurns(List<Contender> contenders, List<Peer.Prompt> prompts, int newTokens) {
        contenders.forEach(contender -> contender.generation.run(prompts, newTokens)); // to warm up
        for (int turn = 0; turn < turns; turn++) {
            contenders.forEach(contender -> contender.turns.add(contender.generation.run(prompts, newTokens)));
        }
        return contenders.stream()
                .map(contender -> new BenchRow(contender.name, List.copyOf(contender.turns)))
                .toList();
    }
}
