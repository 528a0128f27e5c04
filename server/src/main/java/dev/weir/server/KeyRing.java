package dev.weir.server;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The API keys that are good now, as the key file has them. Any thread; only {@link #refresh} touches the file. */
final class KeyRing {
    private final WatchedFile file;
    private final LongSupplier clockMillis;
    private volatile List<Caller> callers = List.of();

    private KeyRing(WatchedFile file, LongSupplier clockMillis) {
        this.file = file;
        this.clockMillis = clockMillis;
    }

    /**
     * Reads a key file.
     *
     * @param clockMillis what allowances grow by; only has to go forward
     * @throws IllegalArgumentException naming the file and what is wrong with it
     */
    static KeyRing open(Path path, LongSupplier clockMillis) {
        KeyRing ring = new KeyRing(new WatchedFile(path), clockMillis);
        ring.read();
        return ring;
    }

    /** Reads the file again if it has changed. A file that cannot be read changes nothing, and the log says why. */
    synchronized void refresh() {
        if (!file.hasChanged()) {
            return;
        }
        try {
            read();
            Logs.SERVER.info("{} holds {} API keys now", file.path(), callers.size());
        } catch (IllegalArgumentException e) {
            Logs.SERVER.warn("{}; the keys that were good before still are", e.getMessage());
        }
    }

    /** The holder of a key; null if there is no such key. Takes the same time for any. */
    @Nullable
    Caller find(String key) {
        byte[] hash = Secret.hash(key);
        Caller found = null;
        for (Caller caller : callers) {
            if (MessageDigest.isEqual(hash, caller.hash())) {
                found = caller; // and on, so that time does not tell which
            }
        }
        return found;
    }

    private void read() {
        List<ApiKey> keys;
        try {
            keys = KeyFile.read(file.path());
        } catch (NoSuchFileException _) {
            throw new IllegalArgumentException(
                    "there is no key file " + file.path() + "; make one with: weir key create --keys FILE --name NAME");
        } catch (IOException e) {
            throw new IllegalArgumentException("cannot read the key file " + file.path() + ": " + e.getMessage(), e);
        }
        Map<String, Caller> before = new HashMap<>();
        callers.forEach(caller -> before.put(caller.sha256(), caller));
        List<Caller> now = new ArrayList<>();
        for (ApiKey key : keys) {
            Caller known = before.remove(key.sha256());
            if (known == null) {
                known = new Caller(key, clockMillis);
            } else {
                known.changeTo(key);
            }
            now.add(known);
        }
        callers = List.copyOf(now);
        before.values().forEach(Caller::revoke);
    }
}
