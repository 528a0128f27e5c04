package dev.weir.server;

import dev.weir.onnx.Peer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The peers that the command line names, found on the class path. Static functions; used by one thread. */
final class BenchPeers {
    private BenchPeers() {}

    /**
     * Finds each.
     *
     * @param named {@code NAME} or {@code NAME=PATH}
     * @param weights where the weights of one are that is named without a path
     * @throws IllegalArgumentException if there is none of that name
     */
    static Map<Peer, Path> find(List<String> named, Function<String, Path> weights) {
        Map<Peer, Path> peers = new LinkedHashMap<>();
        List<Peer> known = ServiceLoader.load(Peer.class).stream()
                .map(ServiceLoader.Provider::get)
                .toList();
        for (String argument : named) {
            int equals = argument.indexOf('=');
            String name = equals < 0 ? argument : argument.substring(0, equals);
            Peer peer = known.stream()
                    .filter(one -> one.name().equals(name))
                    .findFirst()
                    .orElseThrow(() -> unknown(name, known));
            Path path = equals < 0 ? weights.apply(name) : Path.of(argument.substring(equals + 1));
            if (peers.put(peer, path) != null) {
                throw new IllegalArgumentException("--peer names " + name + " twice: name it once");
            }
        }
        return peers;
    }

    private static IllegalArgumentException unknown(String name, List<Peer> known) {
        return new IllegalArgumentException(
                "--peer is " + name + ": choose one of "
                        + known.stream().map(Peer::name).sorted().collect(Collectors.joining(", "))
                        + "; llama.cpp and jlama are there on the CPU, where ./weir bench builds them, or ./mvnw -Ppeers package");
    }
}
