package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StoreOptionsTest {
    private final StoreOptions options = new StoreOptions();

    @TempDir
    private Path home;

    @Test
    void unlessToldOtherwiseResponsesAreInAFileNamedAfterThePortThatOthersCannotRead() throws IOException {
        try (Store store = options.open(home, 8080)) {
            assertThat(store).isInstanceOf(JdbcStore.class);
        }
        assertThat(options.warning()).isEmpty();
        assertThat(home.resolve("weir").resolve("responses-8080.mv.db")).exists();
        assertThat(Files.getPosixFilePermissions(home.resolve("weir")))
                .containsExactlyInAnyOrder(
                        PosixFilePermission.OWNER_READ,
                        PosixFilePermission.OWNER_WRITE,
                        PosixFilePermission.OWNER_EXECUTE);
        try (Store another = new StoreOptions().open(home, 8081)) {
            assertThat(another).isInstanceOf(JdbcStore.class);
        }
        assertThat(home.resolve("weir").resolve("responses-8081.mv.db")).exists();
    }

    @Test
    void aPortThatIsAnyHasNoFile() throws IOException {
        try (Store store = options.open(home, 0)) {
            assertThat(store).isInstanceOf(MemoryStore.class);
        }
        assertThat(home).isEmptyDirectory();
    }

    @Test
    void whereThereCanBeNoFileResponsesAreInMemoryAndTheUserIsTold() throws IOException {
        Path file = Files.createFile(home.resolve("file"));
        try (Store store = options.open(file, 8080)) {
            assertThat(store).isInstanceOf(MemoryStore.class);
        }
        assertThat(options.warning()).contains("file").endsWith("will not survive a restart");
        Files.createDirectories(home.resolve("weir").resolve("responses-8080.mv.db")); // where the file has to be
        StoreOptions others = new StoreOptions();
        try (Store store = others.open(home, 8080)) {
            assertThat(store).isInstanceOf(MemoryStore.class);
        }
        assertThat(others.warning()).contains("responses-8080").endsWith("will not survive a restart");
    }
}
