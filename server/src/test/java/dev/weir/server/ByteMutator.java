package dev.weir.server;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;

/** Changes bytes at random, in ways that parsers of JSON, of HTTP and of frames have been seen to fail at. Used by one thread. */
final class ByteMutator {
    private static final int MOST_CHANGES = 6;
    private static final int MOST_REPEATED = 40;

    /** What means something to some parser. */
    private static final byte[][] WORDS = Stream.of(
                    "null",
                    "true",
                    "{}",
                    "[]",
                    "[[[[[[[[[[[[[[[[",
                    "{\"a\":{\"a\":{\"a\":",
                    "\"",
                    "\\ud800",
                    "\\u0000",
                    "\u0000",
                    "\ufeff",
                    "\ud83d\ude00",
                    "-1",
                    "0",
                    "1e999",
                    "-0.0",
                    "NaN",
                    "2147483648",
                    "9223372036854775808",
                    "18446744073709551616",
                    "0x7fffffff",
                    ",\"n\":12",
                    ",\"stream\":true",
                    ",\"store\":false",
                    ",\"type\":\"response.create\"",
                    ",\"input\":[]",
                    "<|turn|>",
                    "<|end|>",
                    "((a*)*)*",
                    "\r\n",
                    "\r\n\r\n",
                    "\n",
                    "\r",
                    "\t",
                    ":",
                    ";",
                    "%",
                    "%00",
                    "%2e%2e/",
                    "../",
                    "//",
                    "?a=b&a",
                    "Content-Length: 5\r\n",
                    "Content-Length: -1\r\n",
                    "Transfer-Encoding: chunked\r\n",
                    "Transfer-Encoding: gzip, chunked\r\n",
                    "Expect: 100-continue\r\n",
                    "Connection: close\r\n",
                    "Connection: upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
                    "Upgrade: websocket\r\n",
                    "Host: y\r\n",
                    "Origin: null\r\n",
                    "Authorization: Bearer \u00ff\r\n",
                    "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.x\r\n",
                    "Accept-Encoding: gzip\r\n",
                    "Range: bytes=0-1\r\n",
                    "HTTP/1.0",
                    "HTTP/2.0",
                    "HEAD ",
                    "OPTIONS ",
                    "CONNECT ",
                    "0\r\n\r\n",
                    "ffffffffffffffff\r\n")
            .map(word -> word.getBytes(StandardCharsets.UTF_8))
            .toArray(byte[][]::new);

    private final Random random;

    ByteMutator(Random random) {
        this.random = random;
    }

    /** Some bytes with one change or a few. */
    byte[] mutate(byte[] bytes) {
        byte[] changed = bytes;
        for (int left = 1 + random.nextInt(MOST_CHANGES); left > 0; left--) {
            changed = change(changed);
        }
        return changed;
    }

    private byte[] change(byte[] bytes) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + 1 + random.nextInt(random.nextBoolean() ? 4 : 64));
        byte[] part = Arrays.copyOfRange(bytes, from, to);
        return switch (random.nextInt(10)) {
            case 0 -> replaced(bytes, from, to, new byte[0]);
            case 1 -> replaced(bytes, to, to, part);
            case 2 -> replaced(bytes, to, to, repeated(part));
            case 3 -> replaced(bytes, from, from, word());
            case 4 -> replaced(bytes, from, to, word());
            case 5 -> Arrays.copyOf(bytes, random.nextInt(4) == 0 ? from : bytes.length);
            case 6 -> {
                random.nextBytes(part);
                yield replaced(bytes, from, to, part);
            }
            case 7 -> replaced(bytes, from, from, new byte[] {(byte) random.nextInt(256)});
            default -> {
                byte[] flipped = bytes.clone();
                if (from < bytes.length) {
                    flipped[from] ^= (byte) (1 << random.nextInt(8));
                }
                yield flipped;
            }
        };
    }

    private byte[] word() {
        return WORDS[random.nextInt(WORDS.length)];
    }

    private byte[] repeated(byte[] part) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (int left = random.nextInt(MOST_REPEATED); left > 0; left--) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    private static byte[] replaced(byte[] bytes, int from, int to, byte[] by) {
        ByteArrayOutputStream all = new ByteArrayOutputStream(bytes.length + by.length);
        all.write(bytes, 0, from);
        all.writeBytes(by);
        all.write(bytes, to, bytes.length - to);
        return all.toByteArray();
    }
}
