/** How close to the end, in CSS pixels, counts as reading along. */
const NEAR = 8;
/** How far from the end the way back is offered. */
const FAR = 120;

/**
 * Keeps the end of a growing text in view for as long as the reader is there. Whoever scrolls up is left in peace until
 * they scroll back down or press the button.
 */
export class Follower {
  #scroller;
  #button;
  #following = true;
  #lastTop = 0;

  constructor(scroller, button) {
    this.#scroller = scroller;
    this.#button = button;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A wheel says so before the scroll position does; waiting for that would lose the first notch to the next line.
    scroller.addEventListener("wheel", ({ deltaY }) => deltaY < 0 && this.#leave(), { passive: true });
    button.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.keep()).observe(scroller);
  }

  /** Goes to the end and stays there. */
  follow() {
    this.#following = true;
    this.keep();
  }

  /** Call after the text grew: goes to the end if the reader was there. */
  keep() {
    if (this.#following) {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      this.#lastTop = this.#scroller.scrollTop;
    }
    this.#offerButton();
  }

  #scrolled() {
    const top = this.#scroller.scrollTop;
    const distance = this.#distance();
    if (distance <= 1) this.#following = true;
    else if (top < this.#lastTop) this.#following = false;
    else if (distance <= NEAR) this.#following = true;
    this.#lastTop = top;
    this.#offerButton();
  }

  #leave() {
    if (this.#scroller.scrollTop > 0) this.#following = false;
  }

  #distance() {
    return this.#scroller.scrollHeight - this.#scroller.clientHeight - this.#scroller.scrollTop;
  }

  #offerButton() {
    this.#button.hidden = this.#following || this.#distance() < FAR;
  }
}
