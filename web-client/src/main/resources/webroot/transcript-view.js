import { TurnView } from "./turn-view.js";

/**
 * The turns on the page. However many events arrive, the page is brought up to date once per frame, and only the turns
 * that changed are touched.
 */
export class TranscriptView {
  #list;
  #welcome;
  #follower;
  #onRetry;
  #views = new Map();
  #changed = new Set();
  #frame = 0;

  constructor({ list, welcome, follower, onRetry }) {
    this.#list = list;
    this.#welcome = welcome;
    this.#follower = follower;
    this.#onRetry = onRetry;
  }

  /** Shows a turn as it now is, at the next frame. */
  show(turn) {
    this.#changed.add(turn);
    this.#frame ||= requestAnimationFrame(() => this.#render());
  }

  /** Takes every turn off the page. */
  clear() {
    this.#views.clear();
    this.#changed.clear();
    this.#list.replaceChildren();
    this.#welcome.hidden = false;
    this.#follower.follow();
  }

  #render() {
    this.#frame = 0;
    for (const turn of this.#changed) this.#renderTurn(turn);
    this.#changed.clear();
    this.#follower.keep();
  }

  #renderTurn(turn) {
    const view = this.#views.get(turn);
    if (view) {
      view.render();
      return;
    }
    const added = new TurnView(turn, this.#onRetry);
    this.#views.set(turn, added);
    this.#list.append(added.node);
    this.#welcome.hidden = true;
  }
}
