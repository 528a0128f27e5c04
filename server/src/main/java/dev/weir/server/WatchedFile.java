package dev.weir.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A file that may be replaced or rewritten while the server runs. Looking costs one system call. Not thread-safe.
 *
 * <p>What changed is read after {@link #hasChanged}: a change that comes in between is found the next time.
 */
final class WatchedFile {
    private final Path path;
    private @Nullable Stamp seen;

    private record Stamp(
            FileTime modified, long size, @Nullable Object fileKey) {}

    /** A file as it is now. */
    WatchedFile(Path path) {
        this.path = path;
        seen = look();
    }

    Path path() {
        return path;
    }

    /** Whether it is another than the last time, there or gone. */
    boolean hasChanged() {
        Stamp now = look();
        boolean changed = !Objects.equals(now, seen);
        seen = now;
        return changed;
    }

    private @Nullable Stamp look() {
        try {
            BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
        } catch (IOException _) {
            return null; // not there, or not for us: whoever reads it says why
        }
    }
}
