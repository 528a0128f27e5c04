package dev.weir.server;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.ConsoleMessage;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The page in a browser, as one new visitor sees it: what is on it by the names that readers know, what it sent, and what the
 * browser complained of. Owned by the test's thread.
 */
final class ChatPage implements AutoCloseable {
    /** States of a turn that got its whole answer. */
    static final Pattern ANSWERED = Pattern.compile("done|full");

    /** What the browser itself says of connections that break; the page can neither cause nor prevent it. */
    private static final Pattern BROKEN_CONNECTION = Pattern.compile("net::ERR_(CONNECTION_|EMPTY_RESPONSE|SOCKET_)");

    private final Page page;
    private final BrowserContext context;
    private final List<String> sent = new ArrayList<>();
    private final List<String> complaints = new ArrayList<>();
    private boolean connectionBreaks;
    private boolean isRefused;

    /** A visitor who has not opened the page yet. */
    ChatPage(BrowserContext context, double patienceMillis) {
        this.context = context;
        context.setDefaultTimeout(patienceMillis);
        page = context.newPage();
        page.onConsoleMessage(this::heard);
        page.onPageError(complaints::add);
        page.onResponse(response -> {
            if (response.status() >= 400 && !(isRefused && response.status() == 401)) {
                complaints.add(response.status() + " for " + response.url());
            }
        });
        page.onWebSocket(socket -> socket.onFrameSent(frame -> sent.add(frame.text())));
    }

    void open(int port) {
        page.navigate("http://127.0.0.1:" + port + "/");
    }

    void awaitConnection() {
        assertThat(status()).hasAttribute("data-state", "connected");
    }

    private void heard(ConsoleMessage message) {
        boolean isComplaint = message.type().equals("error") || message.type().equals("warning");
        boolean isExpected =
                (connectionBreaks && BROKEN_CONNECTION.matcher(message.text()).find())
                        || (isRefused && message.text().contains("401"));
        if (isComplaint && !isExpected) {
            complaints.add(message.type() + ": " + message.text());
        }
    }

    /** From now on, that a connection breaks is no cause for complaint. */
    void expectBrokenConnections() {
        connectionBreaks = true;
    }

    /** From now on, that the server asks for an API key is no cause for complaint. */
    void expectRefusals() {
        isRefused = true;
    }

    /** Where the page is, as the browser shows it. */
    String address() {
        return page.url();
    }

    /** What the browser keeps for longer than the tab. */
    String kept() {
        return String.valueOf(page.evaluate("JSON.stringify(localStorage)"));
    }

    /** Sets the temperature and the longest answer by way of the drawer. */
    void choose(String temperature, String maxTokens) {
        button("Settings").click();
        field("Temperature").fill(temperature);
        field("Longest answer, in tokens").fill(maxTokens);
        button("Done").click();
    }

    /** Types a prompt and presses Enter. */
    void ask(String prompt) {
        field("Your words").pressSequentially(prompt);
        field("Your words").press("Enter");
    }

    /** Asks with a prompt that is too long to be typed. */
    void paste(String prompt) {
        field("Your words").fill(prompt);
        field("Your words").press("Enter");
    }

    void reload() {
        page.reload();
    }

    void press(String key) {
        page.keyboard().press(key);
    }

    Locator field(String label) {
        return page.getByLabel(label);
    }

    Locator button(String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    Locator status() {
        return page.locator("#status");
    }

    Locator turns() {
        return page.locator(".turn");
    }

    Locator lastTurn() {
        return turns().last();
    }

    /** The text of the last answer. */
    Locator answer() {
        return lastTurn().locator(".text");
    }

    /** Pixels by which something is wider than its box: the page, or the conversation, which would cut it off. */
    int overflow() {
        Object widest = page.evaluate("Math.max(...[document.scrollingElement, document.getElementById('scroller')]"
                + ".map(box => box.scrollWidth - box.clientWidth))");
        return ((Number) widest).intValue();
    }

    /** The last event that went to the server. */
    String lastSent() {
        return sent.getLast();
    }

    /** Errors and warnings of the browser's console, errors of the scripts and replies with an error status. */
    List<String> complaints() {
        return complaints;
    }

    @Override
    public void close() {
        context.close();
    }
}
