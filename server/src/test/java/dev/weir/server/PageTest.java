package dev.weir.server;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.assertions.LocatorAssertions;
import dev.weir.protocol.EventReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** The page as a reader meets it, in a real browser that reaches the server over a line that can be cut. */
final class PageTest {
    private static final Browser.NewContextOptions DESKTOP = new Browser.NewContextOptions();
    private static final Browser.NewContextOptions PHONE = new Browser.NewContextOptions()
            .setViewportSize(390, 844)
            .setDeviceScaleFactor(3)
            .setIsMobile(true)
            .setHasTouch(true);
    private static final LocatorAssertions.IsInViewportOptions WHOLLY =
            new LocatorAssertions.IsInViewportOptions().setRatio(1);

    private static TestBrowser browser;
    private static String whyNoBrowser;

    private TestServer server;
    private TestWire wire;
    private ChatPage page;

    @BeforeAll
    static void startBrowser() {
        try {
            browser = TestBrowser.start();
        } catch (TestAbortedException e) {
            // Thrown from here, it would have the report count no test at all instead of all as skipped.
            whyNoBrowser = e.getMessage();
        }
    }

    @AfterAll
    static void closeBrowser() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void start() {
        if (browser == null) {
            throw new TestAbortedException(whyNoBrowser);
        }
        server = new TestServer(TestServer.Size.SMALL.withMaxTokens(2048));
        wire = new TestWire(server.server.port());
    }

    @AfterEach
    void stop() {
        if (browser == null) {
            return;
        }
        if (page != null) {
            page.close();
        }
        wire.close();
        server.close();
        if (page != null) {
            assertThat(page.complaints()).isEmpty();
        }
    }

    @Test
    void textGrowsOnThePageAndEndsAsOverHttp() {
        page = browser.visit(wire.port(), DESKTOP);
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("question ", 100);
        String whole = answerOverHttp(prompt);
        server.model.hold();
        page.ask(prompt);
        assertThat(page.lastTurn().locator(".prompt")).hasText(prompt);
        assertThat(page.lastTurn()).hasAttribute("data-state", "waiting");
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        String shown = page.answer().textContent();
        assertThat(whole).startsWith(shown).hasSizeGreaterThan(shown.length());
        server.model.allow(30);
        assertThat(page.answer()).not().hasText(shown);
        String more = page.answer().textContent();
        assertThat(more).startsWith(shown).hasSizeGreaterThan(shown.length());
        assertThat(whole).startsWith(more).hasSizeGreaterThan(more.length());
        assertThat(page.lastTurn()).hasAttribute("data-state", "writing");
        server.model.release();
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.answer().textContent()).isEqualTo(whole);
        assertThat(page.button("Send")).isVisible();
    }

    @Test
    void stopKeepsTheTextFreesTheSlotAndTakesTheNextPrompt() {
        page = browser.visit(wire.port(), DESKTOP);
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("question ", 100);
        String whole = answerOverHttp(prompt);
        server.model.hold();
        page.ask(prompt);
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        String shown = page.answer().textContent();
        assertThat(page.button("Send")).isHidden();
        page.button("Stop").click();
        assertThat(page.lastTurn()).hasAttribute("data-state", "stopped");
        server.model.allow(5); // far fewer steps than the whole answer takes
        server.awaitIdle();
        String kept = page.answer().textContent();
        assertThat(kept).startsWith(shown);
        assertThat(whole).startsWith(kept).hasSizeGreaterThan(kept.length());
        assertThat(page.button("Stop")).isHidden();
        server.model.release();
        page.ask("and now?");
        assertThat(page.turns()).hasCount(2);
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.answer()).not().isEmpty();
        assertThat(page.turns().first().locator(".text").textContent()).isEqualTo(kept);
        assertThat(page.lastSent()).contains("\"content\":\"" + prompt + "\"", "\"content\":\"and now?\"");
    }

    @Test
    void escapeStopsAnAnswerThatHasNotBegun() {
        page = browser.visit(wire.port(), DESKTOP);
        server.model.hold();
        page.ask("too late");
        assertThat(page.button("Stop")).isVisible();
        page.press("Escape");
        assertThat(page.lastTurn()).hasAttribute("data-state", "stopped");
        server.model.release();
        server.awaitIdle();
        assertThat(page.button("Send")).isVisible();
    }

    @Test
    void pageSaysThatItIsCutOffConnectsAgainByItselfAndSendsWhatWasAskedMeanwhile() {
        page = browser.visit(wire.port(), DESKTOP);
        assertThat(page.status()).containsText("connected · " + TestServer.MODEL);
        page.expectBrokenConnections();
        wire.cut();
        assertThat(page.status()).hasAttribute("data-state", "waiting");
        assertThat(page.status()).containsText(Pattern.compile("not connected, reconnecting in \\d+ s"));
        page.ask("asked in the dark");
        assertThat(page.lastTurn()).containsText("waiting for the connection");
        wire.mend();
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.status()).containsText("connected · " + TestServer.MODEL);
        page.ask("asked in the light");
        assertThat(page.turns()).hasCount(2);
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
    }

    @Test
    void answerThatTheConnectionBrokeGoesOnWhereItWas() {
        page = browser.visit(wire.port(), DESKTOP);
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("question ", 100);
        String whole = answerOverHttp(prompt);
        server.model.hold();
        page.ask(prompt);
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        page.expectBrokenConnections();
        wire.cut();
        assertThat(page.status()).hasAttribute("data-state", "waiting");
        assertThat(page.lastTurn()).containsText("connection lost");
        server.model.allow(20); // it is written on meanwhile
        wire.mend();
        server.model.release();
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.answer().textContent()).isEqualTo(whole);
        assertThat(page.turns()).hasCount(1);
        assertThat(page.lastSent()).contains("\"type\":\"response.resume\"");
    }

    @Test
    void answerThatNoLongerGoesOnKeepsItsTextAndOffersToAskAgain() {
        server.close();
        server = new TestServer(TestServer.Size.SMALL
                .withMaxTokens(2048)
                .withLimits(ServerLimits.DEFAULT.withResume(
                        new ResumeLimits(1 << 20, Duration.ofSeconds(60), Duration.ZERO))));
        wire.close();
        wire = new TestWire(server.server.port());
        page = browser.visit(wire.port(), DESKTOP);
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("question ", 100);
        String whole = answerOverHttp(prompt);
        server.model.hold();
        page.ask(prompt);
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        String shown = page.answer().textContent();
        page.expectBrokenConnections();
        wire.cut();
        assertThat(page.status()).hasAttribute("data-state", "waiting");
        assertThat(page.lastTurn()).containsText("connection lost");
        server.model.release();
        server.awaitIdle(); // nobody is left to write for
        wire.mend();
        assertThat(page.lastTurn()).hasAttribute("data-state", "lost");
        assertThat(page.lastTurn()).containsText("the connection broke here");
        assertThat(page.answer().textContent()).startsWith(shown);
        assertThat(whole).startsWith(page.answer().textContent());
        assertThat(page.button("Send")).isVisible();
        page.button("Try again").click();
        assertThat(page.turns()).hasCount(2);
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.answer().textContent()).isEqualTo(whole);
        assertThat(page.button("Try again")).isHidden();
    }

    @Test
    void reloadKeepsWhatWasWrittenAndGoesOn() {
        page = browser.visit(wire.port(), DESKTOP);
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("question ", 100);
        String whole = answerOverHttp(prompt);
        server.model.hold();
        page.ask(prompt);
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        page.reload();
        assertThat(page.answer()).not().isEmpty();
        assertThat(page.lastTurn().locator(".prompt")).hasText(prompt);
        server.model.release();
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.answer().textContent()).isEqualTo(whole);
    }

    @Test
    void nothingOverflowsThePhoneAndItsButtonsAreInReach() {
        page = browser.visit(wire.port(), PHONE);
        assertThat(page.overflow()).isZero();
        page.choose("0", "200");
        String prompt = promptAnsweredAtLength("onewordwithoutanend".repeat(50), 150);
        server.model.hold();
        page.paste(prompt);
        server.model.allow(20);
        assertThat(page.answer()).not().isEmpty();
        assertThat(page.button("Stop")).isInViewport(WHOLLY);
        assertThat(page.overflow()).isZero();
        server.model.release();
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.button("Send")).isInViewport(WHOLLY);
        assertThat(page.overflow()).isZero();
        page.button("Settings").click();
        assertThat(page.button("Done")).isInViewport(WHOLLY);
        assertThat(page.overflow()).isZero();
    }

    @Test
    void settingsAreSentAndOutliveAReload() {
        page = browser.visit(wire.port(), DESKTOP);
        page.button("Settings").click();
        page.field("Temperature").press("Home");
        page.field("Longest answer, in tokens").fill("33");
        page.field("System text").fill("Speak plainly.");
        page.button("Done").click();
        page.ask("Hello");
        assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
        assertThat(page.lastSent())
                .contains(
                        "\"type\":\"response.create\"",
                        "\"model\":\"" + TestServer.MODEL + "\"",
                        "\"temperature\":0,",
                        "\"max_output_tokens\":33",
                        "{\"role\":\"system\",\"content\":\"Speak plainly.\"},{\"role\":\"user\",\"content\":\"Hello\"}");
        page.reload();
        page.button("Settings").click();
        assertThat(page.field("Temperature")).hasValue("0");
        assertThat(page.field("Longest answer, in tokens")).hasValue("33");
        assertThat(page.field("System text")).hasValue("Speak plainly.");
    }

    @Test
    void keyIsAskedForWhereTheServerWantsOneAndStaysInTheTab(@TempDir Path folder) {
        TestKeys keys = new TestKeys(folder);
        String key = keys.add("reader");
        try (TestServer locked = new TestServer(TestServer.Size.SMALL, keys.open())) {
            page = browser.visitWithoutKey(locked.server.port(), DESKTOP);
            assertThat(page.field("API key")).isFocused();
            page.field("API key").fill("weir_wrong");
            page.button("Done").click();
            assertThat(page.status()).containsText("the server refused the API key");
            assertThat(page.field("API key")).isFocused();
            page.field("API key").fill(key);
            page.button("Done").click();
            page.awaitConnection();
            page.ask("Hello");
            assertThat(page.lastTurn()).hasAttribute("data-state", ChatPage.ANSWERED);
            page.reload();
            page.awaitConnection();
            assertThat(page.address()).doesNotContain(key);
            assertThat(page.kept()).doesNotContain(key);
            page.close(); // before its server
        }
        page = browser.visit(wire.port(), DESKTOP);
        page.button("Settings").click();
        assertThat(page.field("System text")).isVisible();
        assertThat(page.field("API key")).isHidden();
    }

    /** A prompt whose greedy answer is long: the model may end after any full stop. */
    private String promptAnsweredAtLength(String beginning, int characters) {
        return IntStream.range(0, 1000)
                .mapToObj(i -> beginning + i)
                .filter(prompt -> answerOverHttp(prompt).length() >= characters)
                .findFirst()
                .orElseThrow();
    }

    /** What the server answers to what the page sends after {@code choose("0", "200")}. */
    private String answerOverHttp(String prompt) {
        String body = server.post(
                        "/v1/responses",
                        "{\"input\":[{\"role\":\"user\",\"content\":\"" + prompt
                                + "\"}],\"temperature\":0,\"max_output_tokens\":200}")
                .body();
        return EventReader.response(body).text();
    }
}
