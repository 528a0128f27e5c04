package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.engine.Engine;
import dev.weir.engine.EngineConfig;
import dev.weir.engine.GenerationRequest;
import dev.weir.engine.Logits;
import dev.weir.engine.ModelRunner;
import dev.weir.engine.ModelShape;
import dev.weir.engine.PrefixPool;
import dev.weir.engine.SamplingParams;
import dev.weir.engine.StepOutput;
import dev.weir.engine.StepPlan;
import dev.weir.onnx.CudaOptions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import reactor.core.publisher.Flux;

/** Where a model is computed, as far as that shows without a GPU. */
@Timeout(60)
class ComputeOptionsTest {
    @CommandLine.Command
    private static final class Device {
        @CommandLine.Mixin
        DeviceOptions options = new DeviceOptions();
    }

    private static DeviceOptions device(String named, String... more) {
        Device command = new Device();
        List<String> arguments = new ArrayList<>(List.of("--device", named));
        arguments.addAll(List.of(more));
        new CommandLine(command).parseArgs(arguments.toArray(String[]::new));
        return command.options;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"cuda|0", "cuda:0|0", "cuda:3|3", "cuda:0,1|0 1", "cuda:0,cuda:1|0 1", "cuda:5,2,cuda:11|5 2 11"})
    void gpusAreNamedByTheirNumbers(String named, String numbers) {
        DeviceOptions device = device(named, "--gpu-memory-fraction", "0.5", "--cuda-graphs", "false");
        device.check();
        assertThat(device.isCuda()).isTrue();
        assertThat(device.gpus().stream().map(gpu -> Integer.toString(gpu.device())))
                .containsExactly(numbers.split(" "));
        assertThat(device.gpus()).allMatch(gpu -> gpu.memoryFraction() == 0.5 && !gpu.graphs());
        assertThat(device.maxSequences()).isEqualTo(256);
    }

    @Test
    void theCpuIsNoGpu() {
        DeviceOptions device = device("cpu");
        device.check();
        device.checkSingle("bench");
        assertThat(device.isCuda()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "gpu",
                "cuda:",
                "cuda:x",
                "cuda:-1",
                "cuda:1234",
                "cuda,1",
                "cuda:0,",
                "cuda:0,,1",
                "cuda:0,cpu",
                "cpu,cuda",
                "cpu:0",
                "cuda:0 1",
                "0,1",
                ""
            })
    void whatIsNoDeviceIsRefusedWithWhatItMayBe(String named) {
        assertThatThrownBy(() -> device(named).check())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("device is " + named + " but must be cpu, cuda, cuda:N or, for several GPUs, cuda:N,M");
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuda:0,0", "cuda:1,0,cuda:1", "cuda:1,01"})
    void aGpuThatIsNamedTwiceIsRefused(String named) {
        assertThatThrownBy(() -> device(named).check())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("device is " + named + " but must name each GPU once");
    }

    @Test
    void whatMeasuresOneDeviceRefusesSeveral() {
        device("cuda:2").checkSingle("bench");
        assertThatThrownBy(() -> device("cuda:2,3").checkSingle("bench"))
                .hasMessage("bench measures one device: device is cuda:2,3 but must be one of them, such as cuda:2");
        assertThatThrownBy(() -> device("cuda:2,2").checkSingle("bench")).hasMessageContaining("name each GPU once");
    }

    /** A runner that is not there but for whether it is closed. */
    private static final class Shell implements ModelRunner {
        private final boolean closesBadly;
        private boolean isClosed;

        Shell(boolean closesBadly) {
            this.closesBadly = closesBadly;
        }

        @Override
        public ModelShape shape() {
            return new ModelShape(2, 1, 2, new int[0], PrefixPool.NONE);
        }

        @Override
        public Logits run(StepPlan plan) {
            throw new AssertionError("nobody computes with it");
        }

        @Override
        public void close() {
            isClosed = true;
            if (closesBadly) {
                throw new IllegalStateException("the device is gone");
            }
        }
    }

    @Test
    void thoseThatAreOpenAreClosedIfALaterOneIsNotAndTheErrorNamesThatOne() {
        List<Shell> opened = new ArrayList<>();
        assertThatThrownBy(() -> ComputeOptions.openEach(device("cuda:4,7,9,1").gpus(), gpu -> {
                    if (gpu.device() == 9) {
                        throw new IllegalStateException("no memory is left");
                    }
                    opened.add(new Shell(gpu.device() == 4));
                    return opened.getLast();
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cuda:9 cannot be used: no memory is left")
                .cause()
                .satisfies(cause -> assertThat(cause.getSuppressed()).hasSize(1));
        assertThat(opened).hasSize(2).allMatch(shell -> shell.isClosed);
    }

    @Test
    void theErrorOfAnOnlyGpuIsLeftAsItIs() {
        IllegalStateException why = new IllegalStateException("no memory is left");
        assertThatThrownBy(() -> ComputeOptions.openEach(List.of(CudaOptions.DEFAULT), _ -> {
                    throw why;
                }))
                .isSameAs(why);
    }

    @Test
    void whatSeveralEnginesDoAtTheSameTimeIsAllCounted() {
        Metrics metrics = new Metrics("several");
        int requests = 300;
        int tokens = 10;
        List<FakeModel> models = List.of(new FakeModel(4, 64, 0), new FakeModel(4, 64, 0), new FakeModel(4, 64, 0));
        try (Engine engine = Engine.start(models, EngineConfig.DEFAULT, metrics)) {
            GenerationRequest request =
                    new GenerationRequest("a", new int[] {65, 66, 67}, SamplingParams.greedyExactly(tokens));
            long outputs = Flux.range(0, requests)
                    .flatMap(_ -> engine.generate(request), 50)
                    .map(StepOutput::tokenIds)
                    .count()
                    .block();
            assertThat(outputs).isEqualTo((long) requests * tokens);
        }
        assertThat(models).allMatch(model -> model.runs > 0);
        assertThat(metrics.scrape().lines())
                .contains(
                        "vllm:generation_tokens_total{model_name=\"several\"} " + (double) requests * tokens,
                        "vllm:prompt_tokens_total{model_name=\"several\"} " + (double) requests * 3,
                        "vllm:time_to_first_token_seconds_count{model_name=\"several\"} " + requests);
    }
}
