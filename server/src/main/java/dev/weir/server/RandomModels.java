package dev.weir.server;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Random weights of one shape for everybody that is measured, the same in each one's own format. They are written by
 * {@code weir export}, once, into the build's folder. Used by one thread.
 *
 * @param home the project's folder, where {@code weir} is
 * @param shape a preset or {@code layers/heads/width}, as {@code weir export --random} takes it
 * @param precision of the weights: fp32 or int8; for a GPU fp16 or bf16, which llama.cpp and jlama get as fp32
 * @param cache of this project's own keys and values: int8, or else as exports have them
 * @param isForGpu whether this project's own model is for a GPU
 */
record RandomModels(Path home, String shape, String precision, String cache, boolean isForGpu) {
    /** The model folder that this project runs. */
    Path own() {
        if (isForGpu) {
            List<String> halves = List.of("--unchecked", "--target", "cuda");
            List<String> eightBits = List.of("--unchecked", "--target", "cuda", "--kv", "int8");
            return export("onnx", "model.onnx", precision, cache.equals("int8") ? eightBits : halves);
        }
        return export("onnx", "model.onnx", precision, List.of("--kv", cache));
    }

    /**
     * What a peer runs.
     *
     * @throws IllegalArgumentException if no format is known for it
     */
    Path of(String peer) {
        return switch (peer) {
            case "llama.cpp" ->
                export("gguf", "model.gguf", isForGpu ? "fp32" : precision, List.of())
                        .resolve("model.gguf");
            case "jlama" -> export("safetensors", "model.safetensors", "fp32", List.of());
            case "onnxruntime" ->
                isForGpu
                        ? export("onnx", "model.onnx", precision, List.of("--unchecked", "--target", "cuda-slots"))
                        : own();
            default ->
                throw new IllegalArgumentException(
                        "--peer is " + peer + ", which --random has no format for: add =PATH with its weights");
        };
    }

    private Path export(String format, String file, String stored, List<String> more) {
        String suffix = more.isEmpty() ? "" : "-" + more.getLast();
        Path folder = home.resolve("server/target/bench")
                .resolve(shape.replace('/', '-') + "-" + format + "-" + stored + suffix);
        if (!Files.exists(folder.resolve(file))) {
            run(format, stored, more, folder);
        }
        return folder;
    }

    private void run(String format, String stored, List<String> more, Path folder) {
        ProcessBuilder export = new ProcessBuilder(
                home.resolve("weir").toString(),
                "export",
                "--random",
                shape,
                "--format",
                format,
                "--precision",
                stored);
        export.command().addAll(more);
        export.command().addAll(List.of("--out", folder.toString()));
        try {
            int exit = export.inheritIO().start().waitFor();
            if (exit != 0) {
                throw new IllegalArgumentException("--random is " + shape + ", which could not be exported");
            }
        } catch (IOException e) {
            throw new IllegalArgumentException(
                    "--random needs ./weir, which exports the weights: " + e.getMessage() + "; or give --model", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalArgumentException("--random was interrupted", e);
        }
    }
}
