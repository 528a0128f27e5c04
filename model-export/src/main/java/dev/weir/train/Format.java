package dev.weir.train;

/** The kinds of files that a model is exported as. */
enum Format {
    /** What the server runs. */
    ONNX(ModelFolderWriter.MODEL_FILE),
    /** What Hugging Face's libraries, pretrain and import read. */
    SAFETENSORS(Checkpoint.WEIGHTS);

    private final String modelFile;

    Format(String modelFile) {
        this.modelFile = modelFile;
    }

    /** The file by which a folder is known to hold such a model. */
    String modelFile() {
        return modelFile;
    }
}
