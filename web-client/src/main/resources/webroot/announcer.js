/**
 * Speaks to screen readers through a live region of its own. An answer is said whole when it ends: a live region on the
 * stream itself would interrupt itself at every word.
 */
export class Announcer {
  #region;
  #turn = null;

  constructor(region) {
    this.#region = region;
  }

  asked() {
    this.#region.textContent = "Sent. The answer is being written.";
  }

  /** Says an answer once, however often its turn changes afterwards. */
  ended(turn) {
    if (turn === this.#turn) return;
    this.#turn = turn;
    this.#region.textContent = turn.text || turn.message || "No answer.";
  }

  lost() {
    this.#region.textContent = "Connection lost. Reconnecting.";
  }
}
