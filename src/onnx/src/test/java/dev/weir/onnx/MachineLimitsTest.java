package dev.weir.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory and cores as Linux reports them, in files written down here. */
class MachineLimitsTest {
    private static final long GIB = 1L << 30;

    @TempDir
    Path root;

    @Test
    void withoutAContainerTheMachinesMemoryCounts() throws IOException {
        machineHas(8 * GIB);
        write("proc/self/cgroup", "0::/user.slice\n");
        write("sys/fs/cgroup/user.slice/memory.max", "max\n");
        write("sys/fs/cgroup/user.slice/memory.current", "1000\n");
        assertThat(AvailableMemory.bytes(root)).hasValue(8 * GIB);
    }

    @Test
    void theTightestGroupCountsAndCachedFilesDoNot() throws IOException {
        machineHas(8 * GIB);
        write("proc/self/cgroup", "0::/pod/container\n");
        write("sys/fs/cgroup/pod/memory.max", 4 * GIB + "\n");
        write("sys/fs/cgroup/pod/memory.current", 3 * GIB + "\n");
        write("sys/fs/cgroup/pod/memory.stat", "anon 5\ninactive_file " + GIB + "\nactive_file 7\n");
        write("sys/fs/cgroup/pod/container/memory.max", 3 * GIB + "\n");
        write("sys/fs/cgroup/pod/container/memory.current", GIB / 2 + "\n");
        assertThat(AvailableMemory.bytes(root)).hasValue(2 * GIB);
    }

    @Test
    void theOlderGroupsAreReadTooAndAPathOfTheHostMeansTheMountItself() throws IOException {
        machineHas(8 * GIB);
        write("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/0123\n1:name=systemd:/\n");
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", 2 * GIB + "\n");
        write("sys/fs/cgroup/memory/memory.usage_in_bytes", GIB + "\n");
        write("sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 4096\n");
        assertThat(AvailableMemory.bytes(root)).hasValue(GIB + 4096);
    }

    @Test
    void elsewhereNothingIsKnownAndTheJdkIsAsked() {
        assertThat(AvailableMemory.bytes(root)).isEmpty();
        assertThat(AvailableMemory.bytes()).isPositive();
        assertThat(Processor.physicalCores(root)).isZero();
        assertThat(Processor.physicalCores()).isBetween(1, Runtime.getRuntime().availableProcessors());
    }

    @Test
    void twoThreadsOfACoreAreOneAndForbiddenProcessorsNone() throws IOException {
        write("proc/self/status", "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t0-2,4-5\n");
        for (int cpu = 0; cpu < 8; cpu++) {
            write(
                    "sys/devices/system/cpu/cpu" + cpu + "/topology/thread_siblings_list",
                    cpu % 4 + "," + (cpu % 4 + 4) + "\n");
        }
        assertThat(Processor.physicalCores(root)).isEqualTo(3);
    }

    @Test
    void bytesOverflowOnX86WithoutVnniOnly() throws IOException {
        assertThat(Processor.overflowsInt8(root)).isFalse();
        write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse4_2 avx2 avx512f\n");
        assertThat(Processor.overflowsInt8(root)).isTrue();
        write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 avx512f avx512_vnni\n");
        assertThat(Processor.overflowsInt8(root)).isFalse();
        write("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 avx_vnni sha_ni\n");
        assertThat(Processor.overflowsInt8(root)).isFalse();
        write("proc/cpuinfo", "processor\t: 0\nFeatures\t: fp asimd\n");
        assertThat(Processor.overflowsInt8(root)).isFalse();
    }

    private void machineHas(long bytes) throws IOException {
        write("proc/meminfo", "MemTotal:       99999999 kB\nMemFree:  5 kB\nMemAvailable:   " + bytes / 1024 + " kB\n");
    }

    private void write(String file, String text) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, text);
    }
}
