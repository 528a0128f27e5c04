package dev.weir.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Folders that appear whole or not at all: made beside their place under another name and renamed when complete. Static
 * functions; used by one thread.
 */
final class AtomicFolder {
    private AtomicFolder() {}

    /** What fills a folder. */
    interface Content {
        void writeTo(Path draft) throws IOException;
    }

    /** Writes a folder in place of what is there, if anything is; if the content throws, nothing has changed. */
    static void write(Path folder, Content content) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        Path parent = Files.createDirectories(target.getParent());
        Path draft = Files.createTempDirectory(parent, "." + target.getFileName() + "-");
        try {
            content.writeTo(draft);
            // Temporary folders are for their owner alone; a model may be served by another user.
            Files.setPosixFilePermissions(draft, Files.getPosixFilePermissions(parent));
            replace(target, draft);
        } finally {
            deleteTree(draft);
        }
    }

    private static void replace(Path target, Path draft) throws IOException {
        if (Files.notExists(target)) {
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Path old = Files.createTempDirectory(target.getParent(), "." + target.getFileName() + "-old-");
        try {
            Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            deleteTree(old);
        }
    }

    /** Deletes a folder with all that is in it, if there is one. */
    static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        List<Path> paths;
        try (Stream<Path> walk = Files.walk(folder)) {
            paths = walk.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path path : paths) {
            Files.delete(path);
        }
    }
}
