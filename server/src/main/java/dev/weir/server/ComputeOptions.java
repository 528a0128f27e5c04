package dev.weir.server;

import dev.weir.engine.EngineConfig;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.onnx.CudaOptions;
import dev.weir.onnx.ModelFolder;
import dev.weir.onnx.OnnxModelRunner;
import dev.weir.onnx.PagedModelRunner;
import dev.weir.onnx.RunnerOptions;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that say how the model is computed: where, for how many at once, by how many threads and in how much memory. Where
 * several devices compute, each number is for each of them.
 */
final class ComputeOptions {
    @Mixin
    private final DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--max-sequences",
            paramLabel = "N",
            description = "Sequences computed at once. Default: 128, on a GPU 256.")
    private @Nullable Integer maxSequences;

    @Option(
            names = "--max-queued-requests",
            paramLabel = "N",
            description = "Requests that may wait for a sequence to end; more are refused. Default: ${DEFAULT-VALUE}.")
    private int maxQueuedRequests = EngineConfig.DEFAULT.maxQueuedRequests();

    @Option(
            names = "--max-queued-tokens",
            paramLabel = "N",
            description =
                    "Tokens that the prompts of waiting requests may have together; more are refused, unless nobody"
                            + " else waits. Default: ${DEFAULT-VALUE}.")
    private int maxQueuedTokens = EngineConfig.DEFAULT.maxQueuedTokens();

    @Option(
            names = "--draft-tokens",
            paramLabel = "N",
            description =
                    "Tokens guessed from what the text repeats and checked in one step at most, while no other request is"
                            + " decoded, by models whose arithmetic gives the same answer with and without; 0 for none."
                            + " Default: ${DEFAULT-VALUE}.")
    private int draftTokens = EngineConfig.DEFAULT.draftTokens();

    @Option(
            names = "--numerics",
            paramLabel = "exact|fast",
            converter = Numerics.Converter.class,
            description =
                    "exact: an answer never depends on what else is computed beside it, to the last bit, which is tried"
                            + " with the model at the start; fast: it may, as with models exported with --numerics fast"
                            + " and on a GPU. Default: exact, on a GPU fast.")
    private @Nullable Numerics numerics;

    @Option(
            names = "--kv-cache-memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description =
                    "Memory for keys and values, such as 512m or 4g; 0 is what the sequences need, on a GPU as far as"
                            + " there is memory. Default: ${DEFAULT-VALUE}.")
    private MemorySize kvCacheMemory = new MemorySize(0);

    @Option(
            names = "--prefix-cache-memory",
            paramLabel = "SIZE",
            converter = MemorySize.Converter.class,
            description = "Memory to keep what was computed of prompts and answers for later requests that begin with"
                    + " the same; 0 keeps nothing. Default: half of the memory for keys and values, or an eighth of"
                    + " the memory left beside it if that is less; on a GPU half of what whole contexts of all sequences"
                    + " leave, a quarter of the cache at least.")
    private @Nullable MemorySize prefixCacheMemory;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description =
                    "Tokens of prompt and answer together; 0 is the model's own limit. Default: ${DEFAULT-VALUE}.")
    private int maxTokens = RunnerOptions.DEFAULT.maxTokens();

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute; 0 is one per physical core. Default: ${DEFAULT-VALUE}.")
    private int threads = RunnerOptions.DEFAULT.threads();

    /**
     * Holds the options against each other.
     *
     * @throws IllegalArgumentException naming the option and what it may be
     */
    void check() {
        device.check();
    }

    /** Threads that compute on the CPU; 0 is one per physical core, until {@link #open} puts their number in its place. */
    int threads() {
        return threads;
    }

    EngineConfig engine() {
        return device.engine()
                .withMaxQueuedRequests(maxQueuedRequests)
                .withMaxQueuedTokens(maxQueuedTokens)
                .withDraftTokens(draftTokens);
    }

    /**
     * Opens a model on each device. What the automatic settings came to is put in their place, so that the configuration shows it.
     *
     * @param err is told if there is less room than was asked for
     * @throws dev.weir.onnx.ModelLoadException if it cannot be computed there
     * @throws IllegalArgumentException if an option cannot be met
     */
    List<? extends ModelRunner> open(ModelFolder folder, PrintWriter err) {
        RunnerOptions options = new RunnerOptions(
                maxSequences == null ? device.maxSequences() : maxSequences,
                kvCacheMemory.bytes(),
                maxTokens,
                threads,
                prefixCacheMemory == null ? RunnerOptions.AUTOMATIC : prefixCacheMemory.bytes());
        return device.isCuda() ? openOnGpus(folder, options, err) : List.of(openOnCpu(folder, options, err));
    }

    private ModelRunner openOnCpu(ModelFolder folder, RunnerOptions options, PrintWriter err) {
        OnnxModelRunner runner = OnnxModelRunner.open(folder, options);
        numerics = numerics == null ? Numerics.EXACT : numerics;
        if (numerics == Numerics.EXACT && !runner.isBatchInvariant()) {
            runner.close();
            throw new IllegalArgumentException(
                    "the model " + folder.name() + " gives a request other scores when others are"
                            + " computed beside it; serve it with --numerics fast, or export it with --numerics exact");
        }
        Room room = new Room(
                runner.shape().slots(),
                runner.cacheSize().bytes(),
                runner.prefixCacheSize().bytes());
        resolve(runner.shape(), List.of(room), options, err);
        threads = runner.threads();
        return runner;
    }

    private List<PagedModelRunner> openOnGpus(ModelFolder folder, RunnerOptions options, PrintWriter err) {
        if (numerics == Numerics.EXACT) {
            throw new IllegalArgumentException(
                    "numerics is exact, but on a GPU the order of sums depends on what else is"
                            + " computed: leave --numerics out, or serve with --device cpu");
        }
        numerics = Numerics.FAST;
        List<PagedModelRunner> runners = openEach(device.gpus(), gpu -> PagedModelRunner.open(folder, options, gpu));
        List<Room> rooms = runners.stream().map(Room::of).toList();
        resolve(runners.getFirst().shape(), rooms, options, err);
        return runners;
    }

    /** Opens a runner on each device; if one of them fails, those that are open are closed. */
    static <R extends ModelRunner> List<R> openEach(List<CudaOptions> gpus, Function<CudaOptions, R> opener) {
        List<R> runners = new ArrayList<>();
        for (CudaOptions gpu : gpus) {
            try {
                runners.add(opener.apply(gpu));
            } catch (RuntimeException e) {
                closeAll(runners, e);
                if (gpus.size() == 1) {
                    throw e;
                }
                throw new IllegalArgumentException("cuda:" + gpu.device() + " cannot be used: " + e.getMessage(), e);
            }
        }
        return runners;
    }

    private static void closeAll(List<? extends ModelRunner> runners, RuntimeException why) {
        for (ModelRunner runner : runners) {
            try {
                runner.close();
            } catch (RuntimeException e) {
                why.addSuppressed(e);
            }
        }
    }

    /** What there is room for on a device: sequences, and bytes of their cache and of that for prefixes. */
    private record Room(int sequences, long cacheBytes, long prefixCacheBytes) {
        static Room of(PagedModelRunner runner) {
            ModelShape shape = runner.shape();
            long prefixCacheBytes = shape.prefixPool().blocks() * runner.blockBytes();
            return new Room(shape.slots(), runner.cacheBytes() - prefixCacheBytes, prefixCacheBytes);
        }

        Room least(Room other) {
            return new Room(
                    Math.min(sequences, other.sequences),
                    Math.min(cacheBytes, other.cacheBytes),
                    Math.min(prefixCacheBytes, other.prefixCacheBytes));
        }
    }

    /** Puts what the automatic settings came to in their place, or the least where devices differ. */
    private void resolve(ModelShape shape, List<Room> rooms, RunnerOptions options, PrintWriter err) {
        Room room = rooms.stream().reduce(Room::least).orElseThrow();
        if (room.sequences < options.maxSequences()) {
            err.println("weir: there is memory for the cache of only " + room.sequences + " sequences, not of "
                    + options.maxSequences() + (rooms.size() > 1 ? ", on one of the devices" : "")
                    + "; raise --kv-cache-memory or lower --max-tokens for more");
        }
        maxSequences = room.sequences;
        maxTokens = shape.maxTokens();
        kvCacheMemory = new MemorySize(room.cacheBytes);
        prefixCacheMemory = new MemorySize(room.prefixCacheBytes);
    }
}
