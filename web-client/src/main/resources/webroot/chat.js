import { Turn } from "./turn.js";

/** How long the server may take to confirm a stop before the page calls the answer stopped by itself. */
const STOP_PATIENCE_MILLIS = 3_000;
/** How often one prompt may be sent over fresh connections before the page gives up on it. */
const MOST_SENDS = 3;
/** Names for lanes that take turns: the server takes only so many on one connection. */
const LANES = 16;
const CONTEXT_OVERFLOW = "context_length_exceeded";

/**
 * The conversation: the turns so far, of which the last may be open. Turns it into `response.create`, `response.cancel`
 * and `response.resume`, and server events into changes of the open turn.
 *
 * `send` is given a client event and answers whether it could be sent; `parameters()` gives the model and the sampling
 * fields of the next request and the system text; `onChange(turn)` is called after every change to a turn.
 */
export class Chat {
  turns = [];
  #send;
  #parameters;
  #onChange;
  #nextStream = 1;
  /** How many of the oldest turns no longer fit into the model's context. */
  #forgotten = 0;

  constructor({ send, parameters, onChange }) {
    this.#send = send;
    this.#parameters = parameters;
    this.#onChange = onChange;
  }

  /** The turn that is being answered, or null. */
  get open() {
    const last = this.turns.at(-1);
    return last?.isOpen ? last : null;
  }

  /** Takes up a conversation of an earlier load of the page; its open turn is resumed at the next connection. */
  restore(turns) {
    this.turns = turns;
    this.#nextStream = turns.length + 1;
    this.open?.interrupted();
  }

  /** Asks; the turn waits for a connection if there is none. False while another turn is open. */
  ask(prompt) {
    if (this.open) return false;
    this.turns.push(new Turn(prompt, `turn-${this.#nextStream++ % LANES}`));
    this.#create(this.open);
    return true;
  }

  /** Asks the last turn's prompt once more, below what is already shown. */
  retry() {
    const last = this.turns.at(-1);
    if (!last?.canRetry) return;
    last.isSuperseded = true;
    this.#onChange(last);
    this.ask(last.prompt);
  }

  /** Stops the open turn; what has been written stays. */
  stop() {
    const turn = this.open;
    if (!turn || turn.isStopping) return;
    turn.isStopping = true;
    // Without an id yet there is nothing to name in a cancel: it is sent when the id arrives.
    const awaitsEnd = turn.responseId ? this.#cancel(turn.responseId, turn.streamId) : turn.sends > 0;
    if (!awaitsEnd) turn.end("stopped");
    else setTimeout(() => this.#stopUnconfirmed(turn), STOP_PATIENCE_MILLIS);
    this.#onChange(turn);
  }

  /** Forgets everything; an open turn is stopped first. */
  clear() {
    if (this.open) {
      this.stop();
      this.open?.end("stopped");
    }
    this.turns = [];
    this.#forgotten = 0;
  }

  /** Takes an event of the server; those of turns that are over or forgotten change nothing. */
  receive(event) {
    const turn = this.open;
    if (!turn || (event.stream_id !== undefined && event.stream_id !== turn.streamId)) {
      // Nobody waits for this answer any more: its turn was stopped or cleared before its id was known.
      if (event.type === "response.created") this.#cancel(event.response.id, event.stream_id);
      return;
    }
    const hadId = turn.responseId !== "";
    turn.apply(event, performance.now());
    if (turn.isStopping && !hadId && turn.responseId) this.#cancel(turn.responseId, turn.streamId);
    if (turn.code === CONTEXT_OVERFLOW && this.#forgetOldest()) this.#create(turn);
    this.#onChange(turn);
  }

  /** A connection is there: the open turn goes on where it was, or is sent if the server never took it up. */
  connected() {
    const turn = this.open;
    if (!turn) return;
    if (turn.isResuming && turn.responseId) {
      this.#send({
        type: "response.resume",
        response_id: turn.responseId,
        starting_after: turn.sequence,
        stream_id: turn.streamId,
      });
    } else if (turn.sends < MOST_SENDS) {
      this.#create(turn);
    } else {
      turn.end("failed", { message: "The connection broke each time that this was sent." });
    }
    this.#onChange(turn);
  }

  /** The connection is gone: an open turn waits for the next one. */
  disconnected() {
    const turn = this.open;
    if (!turn) return;
    if (turn.isStopping) turn.end("stopped");
    else turn.interrupted();
    this.#onChange(turn);
  }

  #create(turn) {
    turn.state = "waiting";
    turn.code = "";
    turn.message = "";
    const { model, system, sampling } = this.#parameters();
    const sent = this.#send({
      type: "response.create",
      stream_id: turn.streamId,
      model,
      input: [...(system ? [{ role: "system", content: system }] : []), ...this.#history(turn)],
      ...sampling,
    });
    if (sent) turn.sent(performance.now());
    this.#onChange(turn);
  }

  /** The messages that the model is to see: every turn that was answered, at least in part, then the new prompt. */
  #history(turn) {
    return this.#remembered()
      .flatMap(({ prompt, text }) => [
        { role: "user", content: prompt },
        { role: "assistant", content: text },
      ])
      .concat({ role: "user", content: turn.prompt });
  }

  #remembered() {
    return this.turns.slice(this.#forgotten).filter((turn) => !turn.isOpen && turn.text && !turn.isSuperseded);
  }

  /** Leaves the oldest remembered turn out of what the model sees; false if there is none left to leave out. */
  #forgetOldest() {
    const oldest = this.#remembered().find((turn) => turn !== this.turns.at(-1));
    if (!oldest) return false;
    this.#forgotten = this.turns.indexOf(oldest) + 1;
    return true;
  }

  /** Asks the server to stop a response; false if there is no connection to ask over. */
  #cancel(responseId, streamId) {
    return this.#send({ type: "response.cancel", response_id: responseId, stream_id: streamId });
  }

  #stopUnconfirmed(turn) {
    if (!turn.isOpen) return;
    turn.end("stopped");
    this.#onChange(turn);
  }
}
