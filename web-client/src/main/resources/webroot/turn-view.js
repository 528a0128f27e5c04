import { element } from "./element.js";

/** A block of text is closed at the first line end after this many characters, so that growth lays out one block only. */
const BLOCK_CHARACTERS = 1_000;

/** What is said under an answer in each state of its turn. */
const STATE_WORDS = {
  waiting: "waiting for the first word",
  queued: "in the queue",
  writing: "writing",
  done: "",
  full: "reached the token limit",
  stopped: "stopped",
  failed: "failed",
  lost: "the connection broke here",
};

/** One turn on the page: prompt, answer, and a line of figures whose room is kept from the beginning. */
export class TurnView {
  #turn;
  #blocks = element("div", { className: "text" });
  #block = null;
  #shown = 0;
  #problem = element("p", { className: "problem", hidden: true });
  #figures = element("p", { className: "figures" });
  #again = element("button", { className: "again", type: "button", textContent: "Try again", hidden: true });

  /** The article to put on the page. */
  node;

  constructor(turn, onRetry) {
    this.#turn = turn;
    this.#again.addEventListener("click", onRetry);
    this.node = element("article", { className: "turn" }, [
      element("h2", { className: "visually-hidden", textContent: "You" }),
      element("p", { className: "prompt", textContent: turn.prompt }),
      element("h2", { className: "visually-hidden", textContent: "Answer" }),
      this.#blocks,
      this.#problem,
      element("div", { className: "foot" }, [this.#figures, this.#again]),
    ]);
    this.render();
  }

  /** Brings the page up to the turn: adds what was written since, never touches what is there. */
  render() {
    const { text, state } = this.#turn;
    while (this.#shown < text.length) this.#shown += this.#add(text, this.#shown);
    this.node.dataset.state = this.#turn.isResuming ? "resuming" : state;
    this.#blocks.setAttribute("aria-busy", String(this.#turn.isOpen));
    this.#figures.textContent = footWords(this.#turn);
    this.#problem.hidden = !this.#turn.message;
    this.#problem.textContent = this.#turn.message;
    this.#again.hidden = !this.#turn.canRetry;
  }

  /** Adds text from `start` to the last block, up to where the block ends; the number of characters added. */
  #add(text, start) {
    if (!this.#block || isFull(this.#block)) {
      this.#block = document.createTextNode("");
      this.#blocks.append(element("p", {}, [this.#block]));
    }
    const room = Math.max(0, BLOCK_CHARACTERS - this.#block.length);
    const lineEnd = text.indexOf("\n", start + room);
    const end = lineEnd < 0 ? text.length : lineEnd + 1;
    this.#block.appendData(text.slice(start, end));
    return end - start;
  }
}

function isFull(block) {
  return block.length >= BLOCK_CHARACTERS && block.data.endsWith("\n");
}

function footWords(turn) {
  if (turn.isResuming) return "connection lost, will try to go on from here";
  if (turn.isStopping) return "stopping";
  if (turn.state === "waiting" && !turn.sentAt) return "waiting for the connection";
  const words = [STATE_WORDS[turn.state]];
  // Half an answer has no figures worth the room that "Try again" needs beside the words on a phone.
  if (!turn.isOpen && turn.state !== "failed" && turn.state !== "lost") words.push(...figures(turn));
  return words.filter(Boolean).join(" · ");
}

function figures({ outputTokens, tokensPerSecond, firstTextMillis }) {
  return [
    outputTokens ? `${outputTokens} ${outputTokens === 1 ? "token" : "tokens"}` : "",
    tokensPerSecond ? `${tokensPerSecond.toFixed(tokensPerSecond < 10 ? 1 : 0)} tokens/s` : "",
    firstTextMillis ? `first after ${duration(firstTextMillis)}` : "",
  ];
}

function duration(millis) {
  return millis < 1_000 ? `${Math.round(millis)} ms` : `${(millis / 1_000).toFixed(1)} s`;
}
