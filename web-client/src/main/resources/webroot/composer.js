/** The form at the foot of the page: a text field that grows with its text, and one button that sends or stops. */
export class Composer {
  #field;
  #send;
  #stop;
  #onSend;

  /** `onSend(text)` answers whether the text was taken; it stays in the field if not. */
  constructor({ form, field, send, stop, onSend, onStop }) {
    this.#field = field;
    this.#send = send;
    this.#stop = stop;
    this.#onSend = onSend;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener("keydown", (event) => {
      // While an input method is composing, Enter chooses a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    field.addEventListener("input", () => this.#fit());
    // The second click of a double click on Send lands on Stop, which has taken its place.
    stop.addEventListener("click", ({ detail }) => detail < 2 && onStop());
  }

  /** Shows Stop in place of Send while an answer is open. */
  set isBusy(busy) {
    if (this.#stop.hidden !== busy) return;
    const hadFocus = document.activeElement === this.#send || document.activeElement === this.#stop;
    this.#send.hidden = busy;
    this.#stop.hidden = !busy;
    if (hadFocus) this.focus();
  }

  /** Puts the cursor into the field, except where that would raise an on-screen keyboard unasked. */
  focus() {
    if (!matchMedia("(pointer: coarse)").matches) this.#field.focus();
  }

  #submit() {
    const text = this.#field.value;
    if (!text.trim() || !this.#onSend(text)) return;
    this.#field.value = "";
    this.#fit();
  }

  /** Browsers with `field-sizing: content` do this by themselves. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
