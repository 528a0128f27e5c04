package dev.weir.train;

import java.util.Locale;

/** The kinds of files that a model is exported as. */
enum Format {
    /** What the server runs. */
    ONNX(ModelFolderWriter.MODEL_FILE),
    /** What Hugging Face's libraries, pretrain and import read. */
    SAFETENSORS(Checkpoint.WEIGHTS),
    /** What llama.cpp runs. */
    GGUF(GgufModel.FILE);

    private final String modelFile;

    Format(String modelFile) {
        this.modelFile = modelFile;
    }

    /** The name on the command line. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The file by which a folder is known to hold such a model. */
    String modelFile() {
        return modelFile;
    }
}
