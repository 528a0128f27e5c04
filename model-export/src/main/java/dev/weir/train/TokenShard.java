package dev.weir.train;

import java.io.IOException;
import java.io.Serial;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.OptionalInt;
import java.util.zip.CRC32C;

/**
 * The tokens of one file, in a file mapped into memory: those to train on, then those held out. Immutable; any thread. Stays
 * mapped until it is garbage.
 *
 * <p>Layout, little-endian: magic (8 bytes), version, bytes of an id, vocabulary, 0 (4 each), how many tokens to train on and
 * how many held out (8 each), SHA-256 of the tokenizer, of the source and of the recipe (32 each), 0, CRC-32C of the header
 * before it and of all ids (4 each); then the ids.
 */
final class TokenShard {
    private static final byte[] MAGIC = "WEIRTOKS".getBytes(StandardCharsets.US_ASCII);
    private static final int VERSION = 1;
    private static final int HEADER = 144;
    private static final int CRC_AT = HEADER - Integer.BYTES;

    /** Bytes that are checked or written at once. */
    private static final int CHUNK = 1 << 20;

    private final TokenIds training;
    private final TokenIds heldOut;

    private TokenShard(TokenIds training, TokenIds heldOut) {
        this.training = training;
        this.heldOut = heldOut;
    }

    /**
     * What makes tokens what they are. A file with another key holds other tokens.
     *
     * @param vocabulary one more than the largest id
     * @param tokenizer digest of the tokenizer's files
     * @param source digest of the text's file
     * @param recipe digest of all else: format, place of the cut, direction
     */
    record Key(int vocabulary, String tokenizer, String source, String recipe) {
        /** A name that another key does not have. */
        String fileName(Path source) {
            String all = vocabulary + tokenizer + this.source + recipe;
            return source.getFileName() + "-" + Sha256.of(all).substring(0, 16) + ".tokens";
        }
    }

    /** Tells that a file is not a whole shard of the key wanted, and why. */
    static final class UnusableException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        UnusableException(String message) {
            super(message);
        }
    }

    /** Who has the ids of a shard to be written. */
    interface Content {
        void writeTo(Writer writer) throws IOException;
    }

    /** Takes the ids of a shard in their order. Owned by one thread. */
    static final class Writer {
        private final FileChannel channel;
        private final int bytesPerId;
        private final ByteBuffer buffer = ByteBuffer.allocateDirect(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
        private long all;
        private long training;

        private Writer(FileChannel channel, int bytesPerId) throws IOException {
            this.channel = channel;
            this.bytesPerId = bytesPerId;
            channel.position(HEADER);
        }

        void add(int[] ids) throws IOException {
            for (int id : ids) {
                if (!buffer.hasRemaining()) {
                    flush();
                }
                if (bytesPerId == Short.BYTES) {
                    buffer.putShort((short) id);
                } else {
                    buffer.putInt(id);
                }
            }
            all += ids.length;
        }

        /** What was added up to here is to train on, what comes is held out. */
        void endOfTraining() {
            training = all;
        }

        /** How large the ids so far are. */
        long bytes() {
            return all * bytesPerId;
        }

        private void flush() throws IOException {
            buffer.flip();
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            buffer.clear();
        }
    }

    /** Writes a shard, whole or not at all, whose documents are then turned if the direction says so. */
    static void write(Path path, Key key, Direction direction, OptionalInt endOfText, Content content)
            throws IOException {
        AtomicFile.write(path, channel -> {
            int bytesPerId = TokenIds.bytesPerId(key.vocabulary);
            Writer writer = new Writer(channel, bytesPerId);
            content.writeTo(writer);
            writer.flush();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment ids = channel.map(FileChannel.MapMode.READ_WRITE, HEADER, writer.bytes(), arena);
                if (direction == Direction.RTL) {
                    long cut = writer.training * bytesPerId;
                    new TokenIds(ids.asSlice(0, cut), bytesPerId).turnDocuments(endOfText);
                    new TokenIds(ids.asSlice(cut), bytesPerId).turnDocuments(endOfText);
                    ids.force();
                }
                byte[] header = header(key, writer.training, writer.all - writer.training);
                int checksum = checksum(header, ids);
                ByteBuffer bytes = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
                channel.write(bytes.putInt(CRC_AT, checksum), 0);
            }
        });
    }

    private static byte[] header(Key key, long training, long heldOut) {
        ByteBuffer header = ByteBuffer.allocate(HEADER).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC)
                .putInt(VERSION)
                .putInt(TokenIds.bytesPerId(key.vocabulary))
                .putInt(key.vocabulary)
                .putInt(0)
                .putLong(training)
                .putLong(heldOut);
        for (String digest : new String[] {key.tokenizer, key.source, key.recipe}) {
            header.put(HexFormat.of().parseHex(digest));
        }
        return header.array();
    }

    private static int checksum(byte[] header, MemorySegment ids) {
        CRC32C crc = new CRC32C();
        crc.update(header, 0, CRC_AT);
        for (long at = 0; at < ids.byteSize(); at += CHUNK) {
            crc.update(ids.asSlice(at, Math.min(CHUNK, ids.byteSize() - at)).asByteBuffer());
        }
        return (int) crc.getValue();
    }

    /**
     * Opens a shard. All of it is checked first: a wrong id would make training fail, or worse, quietly learn nonsense.
     *
     * @throws UnusableException if it is not whole or has another key
     */
    static TokenShard open(Path path, Key key) throws IOException {
        MemorySegment file;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
        }
        if (file.byteSize() < HEADER) {
            throw new UnusableException("is shorter than its header");
        }
        byte[] header = file.asSlice(0, HEADER).toArray(ValueLayout.JAVA_BYTE);
        ByteBuffer fields = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
        if (!Arrays.equals(header, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new UnusableException("does not begin as one");
        }
        int version = fields.getInt(MAGIC.length);
        if (version != VERSION) {
            throw new UnusableException("has version " + version + ", not " + VERSION);
        }
        long trainingTokens = fields.getLong(24);
        long heldOutTokens = fields.getLong(32);
        if (!Arrays.equals(header, 0, CRC_AT, header(key, trainingTokens, heldOutTokens), 0, CRC_AT)) {
            throw new UnusableException("is of another text or tokenizer");
        }
        MemorySegment ids = file.asSlice(HEADER);
        int bytesPerId = TokenIds.bytesPerId(key.vocabulary);
        long tokens = ids.byteSize() / bytesPerId;
        if (trainingTokens < 0
                || trainingTokens > tokens
                || heldOutTokens != tokens - trainingTokens
                || ids.byteSize() % bytesPerId != 0) {
            throw new UnusableException("has " + ids.byteSize() + " bytes of ids, which is not what its header says");
        }
        if (fields.getInt(CRC_AT) != checksum(header, ids)) {
            throw new UnusableException("is damaged: its checksum is wrong");
        }
        long cut = trainingTokens * bytesPerId;
        return new TokenShard(
                new TokenIds(ids.asSlice(0, cut), bytesPerId), new TokenIds(ids.asSlice(cut), bytesPerId));
    }

    /** The tokens to train on, in the order in which the model reads them. */
    TokenIds training() {
        return training;
    }

    /** The tokens to validate on, in the same order. */
    TokenIds heldOut() {
        return heldOut;
    }
}
