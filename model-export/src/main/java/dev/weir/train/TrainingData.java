package dev.weir.train;

import dev.weir.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * The files that a run trains on. Their text stays on disk. Immutable; any thread.
 *
 * @param shares of the blocks that are drawn from each file, adding up to 1; empty if those are as its tokens to all tokens
 * @param heldOut share of each file, from its end, to validate on
 */
record TrainingData(List<DataFile> files, List<Double> shares, double heldOut) {
    /** What ends a document. */
    static final String END_OF_TEXT = "<|endoftext|>";

    /**
     * Looks through files.
     *
     * @param arguments files and weights as they were typed
     * @param textKey what JSON lines have their text under
     * @throws UserError if a file is missing, empty or not UTF-8, or only some have a weight
     */
    static TrainingData read(List<String> arguments, String textKey, double heldOut) throws IOException {
        if (!(heldOut > 0 && heldOut < 1)) {
            throw new UserError("--held-out is " + heldOut + ": choose a share above 0 and below 1, such as 0.1");
        }
        List<DataFile> files = new ArrayList<>();
        List<Double> weights = new ArrayList<>();
        List<DataArgument> parsed = arguments.stream().map(DataArgument::of).toList();
        for (DataArgument argument : parsed) {
            if (argument.weight() != null) {
                weights.add(argument.weight());
            } else if (parsed.stream().anyMatch(other -> other.weight() != null)) {
                throw new UserError("--data is " + argument.file()
                        + " without a weight, and another --data has one: give every file one or none");
            }
        }
        for (DataArgument argument : parsed) {
            files.add(DataFile.read(argument.file(), DataFormat.of(argument.file(), textKey), heldOut));
        }
        double sum = weights.stream().mapToDouble(weight -> weight).sum();
        return new TrainingData(
                List.copyOf(files), weights.stream().map(weight -> weight / sum).toList(), heldOut);
    }

    /** By which a resumed run knows its data again: covers every file, how it is read, its share and what is held out. */
    String digest() {
        StringBuilder all = new StringBuilder("weir-training-data-1\nheld out " + heldOut + "\n");
        for (int i = 0; i < files.size(); i++) {
            DataFile file = files.get(i);
            String share = shares.isEmpty() ? "its tokens" : String.valueOf(shares.get(i));
            all.append(file.sha256() + " as " + file.format().label() + ", drawn by " + share + "\n");
        }
        return Sha256.of(all.toString());
    }

    /** Every digest that this data may be known by: runs of one plain text once had the digest of its file. */
    String[] digests() {
        boolean isOneText = files.size() == 1 && files.getFirst().format() instanceof DataFormat.Plain;
        return isOneText ? new String[] {digest(), files.getFirst().sha256()} : new String[] {digest()};
    }

    /** Names and digests, for messages. */
    String describe() {
        return files.stream().map(DataFile::describe).collect(Collectors.joining(", "));
    }

    /**
     * The files as token ids, in the order in which the model reads. {@code <|endoftext|>} written out in a plain text becomes
     * that token, so that a file of many documents can separate them; a document of JSON lines is followed by it.
     *
     * @param tokenizerSha256 digest of the tokenizer's files
     * @throws UserError if a file is not what it should be, or a part of it is too short for the model's context
     */
    TokenizedText tokenize(Tokenizer tokenizer, String tokenizerSha256, GptConfig model, TokenCache cache)
            throws IOException {
        List<TokenShard> shards = new ArrayList<>();
        for (DataFile file : files) {
            TokenShard shard = cache.shard(file, tokenizer, tokenizerSha256, model.direction());
            requireLength(file, shard, model.context());
            shards.add(shard);
        }
        double tokens =
                shards.stream().mapToLong(shard -> shard.training().length()).sum();
        List<TokenizedText.Source> sources = new ArrayList<>();
        for (int i = 0; i < shards.size(); i++) {
            DataFile file = files.get(i);
            TokenShard shard = shards.get(i);
            boolean spellsItsEnds = file.format() instanceof DataFormat.Plain;
            sources.add(new TokenizedText.Source(
                    String.valueOf(file.file().getFileName()),
                    shard.training(),
                    shard.heldOut(),
                    shares.isEmpty() ? shard.training().length() / tokens : shares.get(i),
                    spellsItsEnds ? OptionalInt.empty() : TokenCache.endOfText(file, tokenizer)));
        }
        return new TokenizedText(sources, tokenizer);
    }

    /** A block of T tokens and the token after each needs T + 1; a validation part may be a shorter block. */
    private static void requireLength(DataFile file, TokenShard shard, int context) {
        long training = shard.training().length();
        if (training < context + 1) {
            throw new UserError("--data is " + file.file() + " with " + training
                    + " training tokens, too few for --context " + context + ": give more text or a context below "
                    + training);
        }
        if (shard.heldOut().length() < 2) {
            throw new UserError(
                    "--data is " + file.file() + " with " + shard.heldOut().length()
                            + " held-out tokens, too few to validate on: give more text or a larger --held-out");
        }
    }
}
