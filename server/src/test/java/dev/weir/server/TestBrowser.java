package dev.weir.server;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.PlaywrightException;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A running browser without a window. Owned by the thread that started it. */
final class TestBrowser implements AutoCloseable {
    /** For a machine that has much else to do; nothing here takes more than a moment of it. */
    private static final double PATIENCE_MILLIS = 30_000;

    private static final List<String> SWITCHES = List.of(
            "--no-sandbox", // root may not have one, and the only site visited is ours
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync");

    private final Playwright playwright;
    private final Browser browser;

    private TestBrowser(Playwright playwright, Browser browser) {
        this.playwright = playwright;
        this.browser = browser;
    }

    /** Starts the {@link InstalledBrowser}; the test that calls this is skipped or fails if there is none. */
    static TestBrowser start() {
        InstalledBrowser installed = new InstalledBrowser(System.getenv(), System.err);
        Path program = installed.program();
        PlaywrightAssertions.setDefaultAssertionTimeout(PATIENCE_MILLIS);
        Playwright playwright = null;
        try {
            // Playwright would download browsers of its own, which nobody asked for.
            playwright = Playwright.create(
                    new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
            return new TestBrowser(
                    playwright,
                    playwright
                            .chromium()
                            .launch(new BrowserType.LaunchOptions()
                                    .setExecutablePath(program)
                                    .setArgs(SWITCHES)));
        } catch (PlaywrightException e) {
            if (playwright != null) {
                playwright.close();
            }
            throw installed.missing(program + " could not be driven: " + e.getMessage());
        }
    }

    /** Opens the page of a server on a port for a new visitor, who has never been there. */
    ChatPage visit(int port, Browser.NewContextOptions visitor) {
        ChatPage page = new ChatPage(browser.newContext(visitor), PATIENCE_MILLIS);
        page.open(port);
        page.awaitConnection();
        return page;
    }

    /** Opens the page of a server that asks for an API key for a new visitor, who has none. */
    ChatPage visitWithoutKey(int port, Browser.NewContextOptions visitor) {
        ChatPage page = new ChatPage(browser.newContext(visitor), PATIENCE_MILLIS);
        page.expectRefusals();
        page.open(port);
        return page;
    }

    @Override
    public void close() {
        playwright.close();
    }
}
