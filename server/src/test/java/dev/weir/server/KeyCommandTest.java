package dev.weir.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.LocalDate;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class KeyCommandTest {
    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();
    private Path file;

    @TempDir
    private Path folder;

    @BeforeEach
    void nameFile() {
        file = folder.resolve("keys.json");
    }

    @Test
    void keyIsPrintedOnceAndOnlyItsHashIsKeptInAFileForItsOwner() throws Exception {
        assertThat(run("create", "--name", "alice")).isZero();
        String key = out.toString().strip();
        assertThat(key).matches("weir_[A-Za-z0-9_-]{43}");
        assertThat(Files.readString(file))
                .contains("\"name\" : \"alice\"", HexFormat.of().formatHex(Secret.hash(key)))
                .doesNotContain(key.substring(5));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(err.toString()).doesNotContain(key);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void everythingThatAKeyMayDoIsWrittenReadListedAndRevoked() throws Exception {
        run("create", "--name", "alice");
        assertThat(run(
                        "create",
                        "--name=bob",
                        "--tenant=acme",
                        "--requests-per-minute=60",
                        "--tokens-per-minute=90000",
                        "--concurrent=4",
                        "--model=a",
                        "--model=b",
                        "--origin=https://example.org",
                        "--expires=2099-01-31"))
                .isZero();
        ApiKey bob = KeyFile.read(file).get(1);
        assertThat(bob)
                .isEqualTo(new ApiKey(
                        "bob",
                        bob.sha256(),
                        "acme",
                        new ApiKey.Limits(60, 90_000, 4),
                        List.of("a", "b"),
                        List.of("https://example.org"),
                        LocalDate.of(2099, 1, 31)));
        out = new StringWriter();
        assertThat(run("list")).isZero();
        assertThat(out.toString())
                .containsPattern("alice +alice +- +- +- +- +- +-")
                .containsPattern("bob +acme +60 +90000 +4 +2099-01-31 +a,b +https://example.org");
        assertThat(run("revoke", "--name", "alice")).isZero();
        assertThat(KeyFile.read(file)).containsExactly(bob);
    }

    @Test
    void wrongAsksAreRefusedNamingTheRemedyAndChangeNothing() throws Exception {
        assertThat(run("list")).isEqualTo(2);
        assertThat(err.toString()).contains("there is no key file").contains("weir key create");
        run("create", "--name", "alice");
        String before = Files.readString(file);
        assertRefused("has already; choose another", "create", "--name", "alice");
        assertRefused("name is \"a b\" but must be 1 to 64 letters", "create", "--name", "a b");
        assertRefused("concurrent is -1 but must be 0 or more", "create", "--name=b", "--concurrent=-1");
        assertRefused("which is past", "create", "--name=b", "--expires=2020-01-01");
        assertRefused("it has alice", "revoke", "--name", "bob");
        assertRefused("--name", "create");
        assertThat(Files.readString(file)).isEqualTo(before);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                    {"keys":[{"name":"a","sha256":weir_secret}]}                  | is not JSON at line 1
                    []                                                            | has no list "keys"
                    {"keys":[{"name":"a"}]}                                       | keys[0]: a key needs a name and a sha256
                    {"keys":[{"name":"a","sha256":"weir_secret"}]}                | keys[0]: sha256 of "a" must be 64
                    {"keys":[{"name":"a","sha256":"HASH","request_per_minute":1}]} | request_per_minute is no field of a key
                    {"keys":[{"name":"a","sha256":"HASH","concurrent":"1"}]}      | concurrent is "1" but must be a whole
                    {"keys":[{"name":"a","sha256":"HASH","models":"m"}]}          | models must be a list
                    {"keys":[{"name":"a","sha256":"HASH","expires":"soon"}]}      | expires is "soon" but must be a date
                    {"keys":[{"name":"a","sha256":"HASH"},{"name":"b","sha256":"HASH"}]} | keys[1]: "b" is there twice
                    """)
    void brokenFileIsRefusedNamingWhatIsWrongWithoutQuotingSecrets(String text, String message) throws Exception {
        Files.writeString(file, text.replace("HASH", "0".repeat(64)));
        assertThat(run("list")).isEqualTo(2);
        assertThat(err.toString()).contains(file.toString()).contains(message).doesNotContain("weir_secret");
    }

    private void assertRefused(String message, String... arguments) {
        err = new StringWriter();
        assertThat(run(arguments)).isEqualTo(2);
        assertThat(err.toString()).contains(message);
    }

    private int run(String... arguments) {
        String[] all = Stream.concat(
                        Stream.of("key", arguments[0], "--keys", file.toString()),
                        Stream.of(arguments).skip(1))
                .toArray(String[]::new);
        return ServerMain.run(new PrintWriter(out, true), new PrintWriter(err, true), all);
    }
}
