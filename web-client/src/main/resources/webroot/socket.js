const FIRST_DELAY_MILLIS = 500;
const LONGEST_DELAY_MILLIS = 15_000;
/** A connection that lived this long was a good one: the next loss starts from the first delay again. */
const GOOD_CONNECTION_MILLIS = 5_000;

/** What the server's close codes mean to a reader. */
const CLOSE_REASONS = {
  1001: "the server is stopping",
  1008: "the server refused the API key",
  1009: "the last message was too long",
  1012: "the server is restarting",
  1013: "the server is full",
};

/** Milliseconds to wait before connection attempt `attempt` (0 is the first after a loss): doubling, capped, jittered. */
export function backoffMillis(attempt, random = Math.random) {
  const ceiling = Math.min(LONGEST_DELAY_MILLIS, FIRST_DELAY_MILLIS * 2 ** attempt);
  // Half of the delay is chance, so that the browsers of a restarted server do not all return in one moment.
  return Math.round(ceiling * (0.5 + 0.5 * random()));
}

/** Where the Responses WebSocket of the server that sent this page is: ws or wss as the page came by http or https. */
export function responsesUrl(base = document.baseURI) {
  const url = new URL("v1/responses", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * The WebSocket to the server, which opens itself again for as long as the page lives.
 *
 * It carries JSON events both ways and knows nothing of what they mean. Before each attempt it runs `prepare`, and a
 * failure there counts as a failed attempt. `onState` receives `{name: "connecting" | "connected"}` or
 * `{name: "waiting", retryAt, reason}`, with `retryAt` on the clock of `performance.now()` and `reason` empty where the
 * connection was simply lost; `onEvent` receives each parsed server event.
 */
export class ResponsesSocket {
  #url;
  #apiKey;
  #prepare;
  #onState;
  #onEvent;
  /** The attempt or connection in use, `{socket, openedAt}`, or null between attempts; others are stale. */
  #current = null;
  #attempt = 0;
  #timer = 0;

  constructor({ url = responsesUrl(), apiKey = "", prepare = async () => {}, onState, onEvent }) {
    this.#url = url;
    this.#apiKey = apiKey;
    this.#prepare = prepare;
    this.#onState = onState;
    this.#onEvent = onEvent;
  }

  get isConnected() {
    return this.#current?.socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now, without waiting out the delay. Does nothing while a connection is open or being opened. */
  connect() {
    if (this.#current) return;
    clearTimeout(this.#timer);
    const connection = { socket: null, openedAt: 0 };
    this.#current = connection;
    this.#onState({ name: "connecting" });
    this.#prepare().then(
      () => this.#open(connection),
      (error) => this.#lost(connection, error.message),
    );
  }

  /** Connects anew under another key. */
  useApiKey(apiKey) {
    this.#apiKey = apiKey;
    this.#attempt = 0;
    const old = this.#current;
    this.#current = null;
    old?.socket?.close(1000);
    this.connect();
  }

  /** Sends one client event; false if there is no connection to send it on. */
  send(event) {
    if (!this.isConnected) return false;
    this.#current.socket.send(JSON.stringify(event));
    return true;
  }

  #open(connection) {
    if (connection !== this.#current) return;
    // A browser cannot set headers on a WebSocket, so the key travels as a subprotocol.
    const subprotocols = this.#apiKey ? ["realtime", `openai-insecure-api-key.${this.#apiKey}`] : [];
    const socket = new WebSocket(this.#url, subprotocols);
    connection.socket = socket;
    socket.addEventListener("open", () => this.#opened(connection));
    socket.addEventListener("message", ({ data }) => connection === this.#current && this.#onEvent(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => this.#lost(connection, CLOSE_REASONS[code] ?? ""));
  }

  #opened(connection) {
    if (connection !== this.#current) return;
    connection.openedAt = performance.now();
    this.#onState({ name: "connected" });
  }

  #lost(connection, reason) {
    if (connection !== this.#current) return;
    this.#current = null;
    const now = performance.now();
    if (connection.openedAt && now - connection.openedAt >= GOOD_CONNECTION_MILLIS) this.#attempt = 0;
    const delay = backoffMillis(this.#attempt++);
    this.#timer = setTimeout(() => this.connect(), delay);
    this.#onState({ name: "waiting", retryAt: now + delay, reason });
  }
}
