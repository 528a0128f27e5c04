package dev.weir.server;

import dev.weir.server.ApiKey.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A key file for tests, and the clock that allowances grow by, which stands still unless a test moves it. */
final class TestKeys {
    final Path file;
    final AtomicLong clockMillis = new AtomicLong();
    private final List<ApiKey> keys = new ArrayList<>();

    TestKeys(Path folder) {
        file = folder.resolve("keys.json");
    }

    /** Adds a key without limits; gives the key. */
    String add(String name) {
        return add(name, null, Limits.NONE, List.of(), List.of(), null);
    }

    String add(String name, Limits limits) {
        return add(name, null, limits, List.of(), List.of(), null);
    }

    String add(
            String name,
            @Nullable String tenant,
            Limits limits,
            List<String> models,
            List<String> origins,
            @Nullable LocalDate expires) {
        String key = Secret.next();
        keys.add(
                new ApiKey(name, HexFormat.of().formatHex(Secret.hash(key)), tenant, limits, models, origins, expires));
        write();
        return key;
    }

    void revoke(String name) {
        keys.removeIf(key -> key.name().equals(name));
        write();
    }

    KeyRing open() {
        return KeyRing.open(file, clockMillis::get);
    }

    private void write() {
        try {
            KeyFile.write(file, keys);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
