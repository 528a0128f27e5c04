const KEY = "weir.settings";
const DEFAULTS = { temperature: 0.8, maxTokens: 256, system: "", model: "", apiKey: "" };

/** What the reader chose in the drawer, kept by the browser between visits. */
export class Settings {
  #values;
  #onChange;

  constructor(onChange = () => {}) {
    this.#onChange = onChange;
    this.#values = { ...DEFAULTS, ...read(() => localStorage), ...read(() => sessionStorage) };
  }

  get temperature() {
    return this.#values.temperature;
  }

  get maxTokens() {
    return this.#values.maxTokens;
  }

  get system() {
    return this.#values.system;
  }

  /** The model asked for, or empty for the server's first. */
  get model() {
    return this.#values.model;
  }

  get apiKey() {
    return this.#values.apiKey;
  }

  /** The sampling fields of a request, under the names of the Responses API. */
  get sampling() {
    return { temperature: this.temperature, max_output_tokens: this.maxTokens };
  }

  /** Takes new values; a number out of its range, or none at all, falls back to the nearest valid one. */
  change(values) {
    const next = { ...this.#values, ...values };
    next.temperature = clamp(next.temperature, 0, 2, DEFAULTS.temperature);
    next.maxTokens = Math.round(clamp(next.maxTokens, 1, 1_000_000, DEFAULTS.maxTokens));
    next.system = next.system.trim();
    next.apiKey = next.apiKey.trim();
    this.#values = next;
    // The key goes with the tab; everything else stays.
    const { apiKey, ...lasting } = next;
    write(() => localStorage, lasting);
    write(() => sessionStorage, { apiKey });
    this.#onChange(this);
  }

  reset() {
    this.change(DEFAULTS);
  }
}

function clamp(value, least, most, otherwise) {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : otherwise;
}

// A browser that forbids storage still chats; it only forgets the settings. Even naming the storage may throw.
function read(storage) {
  try {
    return JSON.parse(storage().getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function write(storage, values) {
  try {
    storage().setItem(KEY, JSON.stringify(values));
  } catch {
    // See read.
  }
}
