package dev.weir.onnx;

/** A model that cannot be served: the message names the file or setting, what is wrong with it and what would do. */
public final class ModelLoadException extends RuntimeException {
    ModelLoadException(String message) {
        super(message);
    }

    ModelLoadException(String message, Throwable cause) {
        super(message, cause);
    }
}
