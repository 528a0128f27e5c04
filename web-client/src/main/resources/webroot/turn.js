/**
 * One prompt and its answer, from the asking to the end. Knows the server's events, nothing of the page or the socket.
 *
 * `state` is `waiting` (asked, nothing heard), `queued`, `writing`, or one of the ends: `done`, `full` (token limit),
 * `stopped`, `failed`, `lost` (broken off by a loss that the server could not resume). What is in `text` is never
 * taken back. Times are those of `performance.now()`, in milliseconds.
 */
export class Turn {
  prompt;
  streamId;
  text = "";
  state = "waiting";
  /** Why the answer failed, for the reader; empty otherwise. */
  message = "";
  /** The server's machine-readable error code, where it gave one. */
  code = "";
  responseId = "";
  /** Sequence number of the newest event applied: where to resume. */
  sequence = -1;
  isStopping = false;
  isResuming = false;
  /** The answer was resumed after a loss, so its rate would count the outage. */
  wasResumed = false;
  /** A retried turn stays on the page but leaves the conversation that the model sees. */
  isSuperseded = false;
  sends = 0;
  /** When the prompt was sent; 0 while it waits for a connection. */
  sentAt = 0;
  firstAt = 0;
  lastAt = 0;
  outputTokens = 0;

  constructor(prompt, streamId) {
    this.prompt = prompt;
    this.streamId = streamId;
  }

  /** A turn as `toJSON` wrote it. The clocks of another page load mean nothing here, so only their results survive. */
  static from(saved) {
    return Object.assign(new Turn(saved.prompt, saved.streamId), saved);
  }

  get isOpen() {
    return this.state === "waiting" || this.state === "queued" || this.state === "writing";
  }

  get canRetry() {
    return (this.state === "failed" || this.state === "lost") && !this.isSuperseded;
  }

  /** Milliseconds from the sending of the prompt to the first text, or 0 where there was none. */
  get firstTextMillis() {
    return this.firstAt ? this.firstAt - this.sentAt : 0;
  }

  /** Tokens per second after the first, or 0 where there is nothing to measure. */
  get tokensPerSecond() {
    const seconds = (this.lastAt - this.firstAt) / 1000;
    return this.outputTokens > 1 && seconds > 0 && !this.wasResumed ? (this.outputTokens - 1) / seconds : 0;
  }

  /** Marks the turn as asked; the clock of the first token starts here. */
  sent(now) {
    this.sends++;
    this.sentAt = now;
    this.responseId = "";
    this.sequence = -1;
    this.isResuming = false;
  }

  /** Marks the answer as broken off; it goes on if the server can resume it. */
  interrupted() {
    this.isResuming = this.responseId !== "";
    this.wasResumed = this.isResuming;
    if (!this.isResuming) this.sentAt = 0;
  }

  /** Takes one server event. Events that a resumed stream repeats change nothing. */
  apply(event, now) {
    if (!this.isOpen) return;
    if (event.type === "error") {
      if (this.isStopping) this.end("stopped");
      else if (this.isResuming) this.end("lost");
      else this.end("failed", event.error);
      return;
    }
    if (typeof event.sequence_number === "number") {
      if (event.sequence_number <= this.sequence) return;
      this.sequence = event.sequence_number;
    }
    this.isResuming = false;
    if (event.response?.id) this.responseId = event.response.id;
    switch (event.type) {
      case "response.queued":
        this.state = "queued";
        break;
      case "response.created":
      case "response.in_progress":
        if (this.state === "queued") this.state = "waiting";
        break;
      case "response.output_text.delta":
        this.#append(event.delta, now);
        break;
      case "response.output_text.done":
        if (event.text?.startsWith(this.text)) this.#append(event.text.slice(this.text.length), now);
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
        this.outputTokens = event.response?.usage?.output_tokens ?? 0;
        this.#ended(event);
        break;
    }
  }

  /** Ends the turn in the given state, with the server's `{code, message}` where something went wrong. */
  end(state, error = null) {
    this.state = state;
    this.isStopping = false;
    this.isResuming = false;
    this.message = error?.message ?? "";
    this.code = error?.code ?? "";
  }

  toJSON() {
    // Differences of the clocks are kept by moving the origin: the moment of sending becomes 0.
    const moved = (time) => (time ? time - this.sentAt : 0);
    return { ...this, sentAt: 0, firstAt: moved(this.firstAt), lastAt: moved(this.lastAt) };
  }

  #append(text, now) {
    if (!text) return;
    this.text += text;
    this.state = "writing";
    if (!this.wasResumed) this.firstAt ||= now;
    this.lastAt = now;
  }

  #ended(event) {
    const { type, response } = event;
    if (type === "response.failed") this.end("failed", response?.error ?? { message: "The server gave no reason." });
    else if (type === "response.completed") this.end("done");
    else if (response?.status !== "cancelled") this.end("full");
    else this.end(this.isStopping ? "stopped" : "lost");
  }
}
