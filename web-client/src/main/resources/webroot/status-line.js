/** The quiet line that says how the connection is. */
export class StatusLine {
  #node;
  #words;
  #button;
  #countdown = 0;

  constructor({ node, words, button, onRetry }) {
    this.#node = node;
    this.#words = words;
    this.#button = button;
    button.addEventListener("click", onRetry);
  }

  /** Shows a state of the socket; `model` is named once connected. */
  show(state, model) {
    clearInterval(this.#countdown);
    this.#node.dataset.state = state.name;
    this.#button.hidden = state.name !== "waiting";
    if (state.name === "waiting") {
      this.#countDown(state);
      this.#countdown = setInterval(() => this.#countDown(state), 250);
    } else {
      this.#say(state.name === "connected" ? ["connected", model].filter(Boolean).join(" · ") : "connecting");
    }
  }

  #countDown({ retryAt, reason }) {
    const seconds = Math.max(1, Math.ceil((retryAt - performance.now()) / 1_000));
    this.#say(`${reason || "not connected"}, reconnecting in ${seconds} s`);
  }

  #say(words) {
    if (this.#words.textContent !== words) this.#words.textContent = words;
  }
}
